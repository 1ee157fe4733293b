#!/bin/sh
# An upload over a line that loses one packet of twenty, for $LENGTH_S seconds.
nft add table inet loss
nft 'add chain inet loss output { type filter hook output priority 0; }'
nft add rule inet loss output ip daddr "$FAR" numgen random mod 100 '<' 5 drop
python3 -c 'import socket, sys, time
end, connection = time.time() + int(sys.argv[1]), socket.create_connection((sys.argv[2], int(sys.argv[3])))
connection.sendall(b"PUT / HTTP/1.0\r\n\r\n")
connection.settimeout(1)
while time.time() < end:
    try:
        connection.send(bytes(1 << 14))
    except OSError:
        pass' "$LENGTH_S" "$FAR" "$WEB"
nft delete table inet loss
