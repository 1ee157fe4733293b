#!/bin/sh
# An upload at the line's rate for $LENGTH_S seconds.
exec python3 -c 'import socket, sys, time
end, connection = time.time() + int(sys.argv[1]), socket.create_connection((sys.argv[2], int(sys.argv[3])))
connection.sendall(b"PUT / HTTP/1.0\r\n\r\n")
while time.time() < end:
    connection.sendall(bytes(1 << 16))' "$LENGTH_S" "$FAR" "$WEB"
