#!/bin/sh
# Writes past the cache for $LENGTH_S seconds.
stress-ng --quiet --hdd 1 --hdd-opts direct,wr-seq --hdd-bytes 256M --temp-path "$FOLDER" --timeout "$LENGTH_S"
