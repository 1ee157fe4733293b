#!/bin/sh
# A download over a line that loses one packet of twenty, for $LENGTH_S seconds.
nft add table inet loss
nft 'add chain inet loss input { type filter hook input priority 0; }'
nft add rule inet loss input ip saddr "$FAR" numgen random mod 100 '<' 5 drop
timeout "$LENGTH_S" wget -q -t 1 -O /dev/null "http://$FAR:$WEB/fast" || true
nft delete table inet loss
