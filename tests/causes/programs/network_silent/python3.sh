#!/bin/sh
# A connection to the port $FULL, where nobody answers, for $LENGTH_S seconds.
exec python3 -c 'import socket, sys
try:
    socket.create_connection((sys.argv[2], int(sys.argv[3])), int(sys.argv[1]))
except OSError:
    pass' "$LENGTH_S" "$FAR" "$FULL"
