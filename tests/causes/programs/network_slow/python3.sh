#!/bin/sh
# A server that sends slowly, for $LENGTH_S seconds.
exec python3 -c 'import sys, time, urllib.request
end, answer = time.time() + int(sys.argv[1]), urllib.request.urlopen(sys.argv[2])
while time.time() < end:
    answer.read(4096)' "$LENGTH_S" "http://$FAR:$WEB/slow"
