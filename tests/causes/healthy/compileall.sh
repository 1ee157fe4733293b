#!/bin/sh
# The standard library is compiled to byte code.
# cause: computing_one
# needs: python3
set -e
cp -r /usr/lib/python3.11 "$FOLDER/library"
for n in 1 2 3 4; do python3 -m compileall -q -f "$FOLDER/library" >/dev/null || true; done
rm -r "$FOLDER/library"
