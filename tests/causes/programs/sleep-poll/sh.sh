#!/bin/sh
# A loop that looks for a file each second, for $LENGTH_S seconds.
end=$(($(date +%s) + LENGTH_S))
until [ -e /nonexistent ] || [ "$(date +%s)" -ge "$end" ]; do sleep 1; done
