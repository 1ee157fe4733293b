#!/bin/sh
# A server at $4 that takes the question and sends nothing, for $1 seconds.
curl -s -m "$1" "http://$4/" || true
