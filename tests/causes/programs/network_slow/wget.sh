#!/bin/sh
# A server that sends slowly, for $LENGTH_S seconds.
timeout "$LENGTH_S" wget -q -t 1 -O /dev/null "http://$FAR:$WEB/slow" || true
