#!/bin/sh
# One small write after another, each flushed, for $LENGTH_S seconds, below the folder $FOLDER.
python3 -c 'import os, sys, time
end, file = time.time() + int(sys.argv[1]), os.open(sys.argv[2], os.O_CREAT | os.O_WRONLY)
while time.time() < end:
    os.pwrite(file, b"x" * 4096, 0)
    os.fsync(file)' "$LENGTH_S" "$FOLDER/python3.tmp"
rm -f "$FOLDER/python3.tmp"
