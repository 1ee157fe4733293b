#!/bin/sh
# A file is downloaded at the line's full speed.
# cause: network_line
# needs: curl
curl -s -m 12 -o /dev/null "http://$FAR:$WEB/fast" || true
