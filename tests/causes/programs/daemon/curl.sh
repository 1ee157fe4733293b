#!/bin/sh
# A daemon behind a Unix socket in $FOLDER that thinks for $LENGTH_S seconds.
curl -s -m "$LENGTH_S" --unix-socket "$FOLDER/mute.sock" http://localhost/ || true
