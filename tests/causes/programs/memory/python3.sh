#!/bin/sh
# A file that is used all over again with too little memory for it, for $LENGTH_S seconds.
group=/sys/fs/cgroup/memory/causes-$$
mkdir "$group" && echo 64M >"$group/memory.limit_in_bytes" && echo $$ >"$group/cgroup.procs"
python3 -c 'import mmap, sys, time
end = time.time() + int(sys.argv[1])
with open(sys.argv[2], "wb") as file:
    for _ in range(192):
        file.write(bytes(1 << 20))
with open(sys.argv[2], "rb") as file:
    pages = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    while time.time() < end:
        sum(pages[at] for at in range(0, len(pages), 4096))' "$LENGTH_S" "$FOLDER/memory.tmp"
echo $$ >"${group%/*}/cgroup.procs"
rmdir "$group"
rm -f "$FOLDER/memory.tmp"
