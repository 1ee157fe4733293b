#!/bin/sh
# A shell that counts in a container that may use a fifth of a CPU, for $LENGTH_S seconds.
quota=/sys/fs/cgroup/cpu$(sed -n 's/^[0-9]*:[^:]*\bcpu\b[^:]*://p' /proc/self/cgroup)/cpu.cfs_quota_us
echo 20000 >"$quota"
end=$(($(date +%s) + LENGTH_S))
while [ "$(date +%s)" -lt "$end" ]; do
    i=0
    while [ "$i" -lt 20000 ]; do i=$((i + 1)); done
done
echo -1 >"$quota"
