#!/bin/sh
# Lines are made, sorted and counted.
# cause: computing_one computing_some computing_all
# needs: sort
for n in 1 2 3 4; do
    seq 4000000 | awk '{ print $1 * 7919 % 4000037 }' | sort | uniq -c | sort -rn | head -1 >/dev/null
done
