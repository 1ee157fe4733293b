# shellcheck shell=sh disable=SC2034,SC2154  # names of other parts
#
# --- Lines of the kernel's, by the schema of counters (written by guest/assemble.py) ---

# A line of /proc/diskstats: its device $bt_a, its numbers; status 1 at the end.
bt_disk_line() {
    read -r _ _ bt_a bt_1 _ bt_2 bt_3 bt_4 _ bt_5 bt_6 _ bt_7 bt_8 _
}

# $bt_listed: the numbers of the line; status 1 where the line has too few.
bt_disk_list() {
    bt_list "$bt_1" "$bt_2" "$bt_3" "$bt_4" "$bt_5" "$bt_6" "$bt_7" "$bt_8"
    case $bt_listed in *null*) return 1 ;; esac
}

# $bt_listed of the numbers behind an interface's name in /proc/net/dev; status 1 where they are too few.
bt_net_list() {
    bt_list "${1-}" "${9-}"
    case $bt_listed in *null*) return 1 ;; esac
}

bt_vm_clear() {
    bt_1='' bt_2='' bt_3='' bt_4=''
}

# A line of /proc/vmstat: its key $1, its number $2.
bt_vm_line() {
    case $1 in
    pswpin) bt_1=$2 ;;
    pswpout) bt_2=$2 ;;
    pgmajfault) bt_3=$2 ;;
    oom_kill) bt_4=$2 ;;
    esac
}

# $bt_listed: the numbers found.
bt_vm_list() {
    bt_pages "$bt_1"; bt_1=$bt_kb
    bt_pages "$bt_2"; bt_2=$bt_kb
    bt_list "$bt_1" "$bt_2" "$bt_3" "$bt_4"
}

