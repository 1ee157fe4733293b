#!/bin/sh
# A connection to the port $FULL, where nobody answers, for $LENGTH_S seconds.
wget -q -T "$LENGTH_S" -t 1 -O /dev/null "http://$FAR:$FULL/" || true
