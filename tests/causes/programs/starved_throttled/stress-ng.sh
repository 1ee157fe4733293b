#!/bin/sh
# A load on each CPU in a container that may use a fifth of a CPU, for $LENGTH_S seconds.
quota=/sys/fs/cgroup/cpu$(sed -n 's/^[0-9]*:[^:]*\bcpu\b[^:]*://p' /proc/self/cgroup)/cpu.cfs_quota_us
echo 20000 >"$quota"
stress-ng --quiet --cpu 0 --timeout "$LENGTH_S"
echo -1 >"$quota"
