# shellcheck shell=sh disable=SC2034,SC2154  # names of other parts
#
# --- Lines of the kernel's, by the schema of counters (written by guest/assemble.py) ---

# A line of /proc/diskstats: its device $bt_a, its numbers; status 1 at the end.
bt_disk_line() {
    read -r _ _ bt_a bt_n1 _ bt_n2 bt_n3 bt_n4 _ bt_n5 bt_n6 _ bt_n7 bt_n8 _ _ _ _ bt_n9 bt_n10 _
}

# $bt_listed: the numbers of the line; status 1 where the line has too few.
bt_disk_list() {
    bt_list "$bt_n1" "$bt_n2" "$bt_n3" "$bt_n4" "$bt_n5" "$bt_n6" "$bt_n7" "$bt_n8"
    case $bt_listed in *null*) return 1 ;; esac
    bt_list "$bt_n1" "$bt_n2" "$bt_n3" "$bt_n4" "$bt_n5" "$bt_n6" "$bt_n7" "$bt_n8" "$bt_n9" "$bt_n10"
}

# $bt_listed of the numbers behind an interface's name in /proc/net/dev; status 1 where they are too few.
bt_net_list() {
    bt_list "${1-}" "${9-}"
    case $bt_listed in *null*) return 1 ;; esac
}

bt_tasks_clear() {
    bt_n1='' bt_n2='' bt_n3='' bt_n4=''
}

# A line of /proc/stat: its key $1, its number $2.
bt_tasks_line() {
    case $1 in
    procs_running) bt_n1=$2 ;;
    procs_blocked) bt_n2=$2 ;;
    ctxt) bt_n3=$2 ;;
    processes) bt_n4=$2 ;;
    esac
}

# $bt_listed: the numbers found.
bt_tasks_list() {
    bt_list "$bt_n1" "$bt_n2" "$bt_n3" "$bt_n4"
}

bt_vm_clear() {
    bt_n1='' bt_n2='' bt_n3='' bt_n4='' bt_n5='' bt_n6='' bt_n7='' bt_n8='' bt_n9=''
}

# A line of /proc/vmstat: its key $1, its number $2.
bt_vm_line() {
    case $1 in
    pswpin) bt_n1=$2 ;;
    pswpout) bt_n2=$2 ;;
    pgmajfault) bt_n3=$2 ;;
    oom_kill) bt_n4=$2 ;;
    allocstall | allocstall_dma | allocstall_dma32 | allocstall_normal | allocstall_high | \
    allocstall_movable | allocstall_device) bt_add "$bt_n5" "$2"; bt_n5=$bt_sum ;;
    pgscan_direct | pgscan_direct_dma | pgscan_direct_dma32 | pgscan_direct_normal | \
    pgscan_direct_high | pgscan_direct_movable) bt_add "$bt_n6" "$2"; bt_n6=$bt_sum ;;
    workingset_refault_file | workingset_refault) bt_add "$bt_n7" "$2"; bt_n7=$bt_sum ;;
    workingset_refault_anon) bt_n8=$2 ;;
    nr_dirty) bt_n9=$2 ;;
    esac
}

# $bt_listed: the numbers found.
bt_vm_list() {
    bt_pages "$bt_n1"; bt_n1=$bt_kb
    bt_pages "$bt_n2"; bt_n2=$bt_kb
    bt_pages "$bt_n6"; bt_n6=$bt_kb
    bt_pages "$bt_n7"; bt_n7=$bt_kb
    bt_pages "$bt_n8"; bt_n8=$bt_kb
    bt_pages "$bt_n9"; bt_n9=$bt_kb
    bt_list "$bt_n1" "$bt_n2" "$bt_n3" "$bt_n4" "$bt_n5" "$bt_n6" "$bt_n7" "$bt_n8" "$bt_n9"
}

