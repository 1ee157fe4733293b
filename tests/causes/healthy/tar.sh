#!/bin/sh
# A tree of many files is packed and compressed.
# cause: computing_one computing_some computing_all
# needs: tar gzip
tar -C /usr -czf - lib/python3 share/doc share/perl lib/gcc | cat >"$FOLDER/tree.tar.gz"
rm "$FOLDER/tree.tar.gz"
