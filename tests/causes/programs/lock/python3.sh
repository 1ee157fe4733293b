#!/bin/sh
# A POSIX lock that another process holds for $1 seconds, below the folder $2.
exec 8>"$2/python3.lock"
python3 -c 'import fcntl, sys, time; fcntl.lockf(8, fcntl.LOCK_EX); time.sleep(int(sys.argv[1]))' "$1" &
sleep 0.3
python3 -c 'import fcntl; fcntl.lockf(8, fcntl.LOCK_EX)'
wait
rm -f "$2/python3.lock"
