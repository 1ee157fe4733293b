#!/bin/sh
# One short command after another, for $LENGTH_S seconds.
exec python3 -c 'import subprocess, sys, time
end = time.time() + int(sys.argv[1])
while time.time() < end:
    subprocess.call("/bin/true")' "$LENGTH_S"
