#!/bin/sh
# A POSIX lock that another process holds for $LENGTH_S seconds, below the folder $FOLDER.
exec 8>"$FOLDER/python3.lock"
python3 -c 'import fcntl, sys, time; fcntl.lockf(8, fcntl.LOCK_EX); time.sleep(int(sys.argv[1]))' "$LENGTH_S" &
sleep 0.3
python3 -c 'import fcntl; fcntl.lockf(8, fcntl.LOCK_EX)'
wait
rm -f "$FOLDER/python3.lock"
