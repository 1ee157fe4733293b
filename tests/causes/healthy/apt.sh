#!/bin/sh
# A package is installed by apt, with what it needs, in a system of its own.
# cause: computing_one computing_some computing_all
# needs: mmdebstrap
set -e
mmdebstrap --quiet --variant=apt --include=nginx-light,git bookworm "$FOLDER/root" >/dev/null
rm -r "$FOLDER/root"
