#!/bin/sh
# Python's sleep for $LENGTH_S seconds.
exec python3 -c 'import sys, time; time.sleep(int(sys.argv[1]))' "$LENGTH_S"
