#!/bin/sh
# The same, one file after another.
# cause: computing_one
# needs: gcc make
set -e
mkdir "$FOLDER/make-one" && cd "$FOLDER/make-one"
for n in $(seq 25); do
    { echo '#include <stdio.h>'; echo '#include <stdlib.h>'; echo '#include <string.h>'
      for f in $(seq 300); do echo "int f${n}_$f(int a) { char b[64]; snprintf(b, 64, \"%d\", a); return strlen(b) + atoi(b) * $f; }"; done; } >"$n.c"
done
for n in *.c; do cc -O2 -c "$n"; done
rm -r "$FOLDER/make-one"
