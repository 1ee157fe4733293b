#!/bin/sh
# Python's sleep for $1 seconds.
exec python3 -c 'import sys, time; time.sleep(int(sys.argv[1]))' "$1"
