#!/bin/sh
# A file mapped into memory of which there is too little, for $LENGTH_S seconds.
group=/sys/fs/cgroup/memory/causes-$$
mkdir "$group" && echo 64M >"$group/memory.limit_in_bytes" && echo $$ >"$group/cgroup.procs"
stress-ng --quiet --mmap 1 --mmap-file --mmap-bytes 192M --temp-path "$FOLDER" --timeout "$LENGTH_S"
echo $$ >"${group%/*}/cgroup.procs"
rmdir "$group"
rm -f "$FOLDER/memory.tmp"
