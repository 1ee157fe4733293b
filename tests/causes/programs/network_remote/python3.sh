#!/bin/sh
# A server at $4 that takes the connection and sends nothing, for $1 seconds.
exec python3 -c 'import socket, sys
host, port = sys.argv[2].split(":")
connection = socket.create_connection((host, int(port)))
connection.settimeout(int(sys.argv[1]))
try:
    connection.recv(1)
except OSError:
    pass' "$1" "$4"
