#!/bin/sh
# A download at the line's rate for $LENGTH_S seconds.
exec python3 -c 'import sys, time, urllib.request
end, answer = time.time() + int(sys.argv[1]), urllib.request.urlopen(sys.argv[2])
while time.time() < end:
    answer.read(1 << 16)' "$LENGTH_S" "http://$FAR:$WEB/fast"
