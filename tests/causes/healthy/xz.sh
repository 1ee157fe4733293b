#!/bin/sh
# An image is compressed on all CPUs.
# cause: computing_all
# needs: xz
head -c 60000000 /dev/urandom | xz -T0 -2 | cat >"$FOLDER/image.xz"
rm "$FOLDER/image.xz"
