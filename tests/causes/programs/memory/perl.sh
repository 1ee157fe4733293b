#!/bin/sh
# A file read all over again with too little memory for it, for $LENGTH_S seconds.
group=/sys/fs/cgroup/memory/causes-$$
mkdir "$group" && echo 64M >"$group/memory.limit_in_bytes" && echo $$ >"$group/cgroup.procs"
perl -e 'my ($end, $path) = (time + $ARGV[0], $ARGV[1]);
open(my $w, ">", $path); print $w "x" x (1 << 20) for 1 .. 192; close($w);
open(my $f, "<", $path);
while (time < $end) { sysseek($f, int(rand(192 << 8)) << 12, 0); sysread($f, my $page, 4096) for 1 .. 4; }
' "$LENGTH_S" "$FOLDER/memory.tmp"
echo $$ >"${group%/*}/cgroup.procs"
rmdir "$group"
rm -f "$FOLDER/memory.tmp"
