#!/bin/sh
# A daemon behind a Unix socket in $2 that thinks for $1 seconds.
curl -s -m "$1" --unix-socket "$2/mute.sock" http://localhost/ || true
