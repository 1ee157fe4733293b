#!/bin/sh
# A program of many files is compiled on all CPUs.
# cause: computing_all
# needs: gcc make
set -e
mkdir "$FOLDER/make" && cd "$FOLDER/make"
for n in $(seq 60); do
    { echo '#include <stdio.h>'; echo '#include <stdlib.h>'; echo '#include <string.h>'
      for f in $(seq 300); do echo "int f${n}_$f(int a) { char b[64]; snprintf(b, 64, \"%d\", a); return strlen(b) + atoi(b) * $f; }"; done; } >"$n.c"
done
printf 'all: $(patsubst %%.c,%%.o,$(wildcard *.c))\n%%.o: %%.c\n\tcc -O2 -c $<\n' >Makefile
make -s -j"$(nproc)"
rm -r "$FOLDER/make"
