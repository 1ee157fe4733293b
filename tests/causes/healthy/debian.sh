#!/bin/sh
# A small Debian is put up: packages are downloaded, unpacked and configured (mmdebstrap, apt, dpkg).
# cause: computing_one computing_some computing_all
# needs: mmdebstrap
set -e
mmdebstrap --quiet --variant=apt bookworm "$FOLDER/root" >/dev/null
rm -r "$FOLDER/root"
