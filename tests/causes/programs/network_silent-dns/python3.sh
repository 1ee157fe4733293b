#!/bin/sh
# A name server that does not answer, asked each 5 s for $LENGTH_S seconds.
exec python3 -c 'import socket, sys, time
end, asked = time.time() + int(sys.argv[1]), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asked.connect((sys.argv[2], 53))
while time.time() < end:
    asked.settimeout(min(5, max(end - time.time(), 0.1)))
    asked.send(b"question")
    try:
        asked.recv(512)
    except OSError:
        pass' "$LENGTH_S" "$FAR"
