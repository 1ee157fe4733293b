#!/bin/sh
# A connection to the port $3, where nobody answers, for $1 seconds.
exec python3 -c 'import socket, sys
try:
    socket.create_connection(("127.0.0.1", int(sys.argv[2])), int(sys.argv[1]))
except OSError:
    pass' "$1" "$3"
