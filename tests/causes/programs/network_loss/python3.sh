#!/bin/sh
# A download over a line that loses one packet of twenty, for $LENGTH_S seconds.
nft add table inet loss
nft 'add chain inet loss input { type filter hook input priority 0; }'
nft add rule inet loss input ip saddr "$FAR" numgen random mod 100 '<' 5 drop
python3 -c 'import sys, time, urllib.request
end, answer = time.time() + int(sys.argv[1]), urllib.request.urlopen(sys.argv[2])
while time.time() < end:
    answer.read(1 << 16)' "$LENGTH_S" "http://$FAR:$WEB/fast"
nft delete table inet loss
