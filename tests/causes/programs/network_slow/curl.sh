#!/bin/sh
# A server that sends slowly, for $LENGTH_S seconds.
curl -s -m "$LENGTH_S" -o /dev/null "http://$FAR:$WEB/slow" || true
