#!/bin/sh
# A server at $FAR:$MUTE that takes the connection and sends nothing, for $LENGTH_S seconds.
exec python3 -c 'import socket, sys
host, port = sys.argv[2].split(":")
connection = socket.create_connection((host, int(port)))
connection.settimeout(int(sys.argv[1]))
try:
    connection.recv(1)
except OSError:
    pass' "$LENGTH_S" "$FAR:$MUTE"
