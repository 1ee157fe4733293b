#!/bin/sh
# Checksums of a large file, one after another.
# cause: computing_one
# needs: sha256sum
head -c 400000000 /dev/zero >"$FOLDER/large"
for n in 1 2 3 4 5 6 7 8 9 10; do sha256sum "$FOLDER/large" >/dev/null; done
rm "$FOLDER/large"
