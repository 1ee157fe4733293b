#!/bin/sh
# A shell that counts for $LENGTH_S seconds.
end=$(($(date +%s) + LENGTH_S))
while [ "$(date +%s)" -lt "$end" ]; do
    i=0
    while [ "$i" -lt 20000 ]; do i=$((i + 1)); done
done
