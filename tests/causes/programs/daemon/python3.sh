#!/bin/sh
# A daemon behind a Unix socket in $FOLDER that thinks for $LENGTH_S seconds.
exec python3 -c 'import socket, sys
connection = socket.socket(socket.AF_UNIX)
connection.connect(sys.argv[2])
connection.settimeout(int(sys.argv[1]))
try:
    connection.recv(1)
except OSError:
    pass' "$LENGTH_S" "$FOLDER/mute.sock"
