# shellcheck shell=sh disable=SC2034,SC2154  # names of other parts
#
# --- Reading the kernel ---

# Whether all that is given are numbers.
bt_numbers() {
    [ $# -gt 0 ] || return 1
    for bt_number; do
        case $bt_number in '' | *[!0-9]*) return 1 ;; esac
    done
}

bt_list() {
    bt_listed=
    for bt_number; do
        case $bt_number in '' | *[!0-9]* | ???????????????????*) bt_number=null ;; esac
        bt_listed=$bt_listed,$bt_number
    done
    bt_listed="[${bt_listed#,}]"
}

# $bt_cpu and $bt_tasks as members of `c`, $bt_cpus, $bt_btime. Of two lines `cpu`, as containers have, that which is
# not all zero.
bt_stat() {
    bt_cpu='' bt_cpus=0 bt_btime='' bt_zero=1 bt_tasks=''
    bt_tasks_clear
    [ -r "$bt_proc/stat" ] || return 0
    while read -r bt_key bt_a bt_b bt_d bt_e bt_f bt_g bt_h bt_i _; do
        case $bt_key in
        cpu)
            if bt_numbers "$bt_a" "$bt_b" "$bt_d" "$bt_e" && [ -n "$bt_zero" ]; then
                case $bt_a$bt_b$bt_d$bt_e$bt_f$bt_g$bt_h$bt_i in *[!0]*) bt_zero='' ;; esac
                bt_list "$bt_a" "$bt_b" "$bt_d" "$bt_e" "$bt_f" "$bt_g" "$bt_h" "$bt_i"
                bt_cpu='"cpu":'$bt_listed
            fi
            ;;
        cpu[0-9]*) bt_cpus=$((bt_cpus + 1)) ;;
        btime) bt_btime=$bt_a ;;
        softirq) break ;;
        *) bt_tasks_line "$bt_key" "$bt_a" ;;
        esac
    done <"$bt_proc/stat"
    bt_tasks_list
    case $bt_listed in *[0-9]*) bt_tasks=',"tasks":'$bt_listed ;; esac
}

# $bt_memory: [total, available], or where the kernel does not tell the second, [total, null, what stands for it].
bt_meminfo() {
    bt_total='' bt_available='' bt_free='' bt_buffers='' bt_cached='' bt_memory=''
    [ -r "$bt_proc/meminfo" ] || return 0
    while read -r bt_key bt_a _; do
        case $bt_key in
        MemTotal:) bt_total=$bt_a ;;
        MemAvailable:) bt_available=$bt_a; break ;;
        MemFree:) bt_free=$bt_a ;;
        Buffers:) bt_buffers=$bt_a ;;
        Cached:) bt_cached=$bt_a ;;
        esac
    done <"$bt_proc/meminfo"
    bt_numbers "$bt_total" || return 0
    if ! bt_numbers "$bt_available" && bt_numbers "$bt_free" "$bt_buffers" "$bt_cached"; then
        bt_list "$bt_total" '' "$((bt_free + bt_buffers + bt_cached))"
    else
        bt_list "$bt_total" "$bt_available"
    fi
    bt_memory=$bt_listed
}

# $bt_sum of $1, '' for none yet, and $2. What is no number does not count; a sum that the shell can't add is none.
bt_add() {
    bt_sum=$1
    case $2 in '' | *[!0-9]* | ???????????????????*) return 0 ;; esac
    bt_sum=$2
    [ -n "$1" ] || return 0
    bt_sum=none
    bt_numbers "$1" || return 0
    [ "${#1}" -lt 9 ] && [ "${#2}" -lt 9 ] || [ $((2147483647 + 1)) -gt 0 ] || return 0
    bt_sum=$(($1 + $2))
}

# Times the page size, where the shell's numbers are large enough; it stands in every process's smaps.
bt_pages() {
    bt_list "$1"
    [ "$bt_listed" != '[null]' ] || { bt_kb=''; return 0; }
    bt_kb=$1
    [ "$1" != 0 ] || return 0
    bt_kb=''
    [ "${#1}" -lt 9 ] || [ $((2147483647 + 1)) -gt 0 ] || return 0
    bt_numbers "$bt_page_kb" && bt_kb=$(($1 * bt_page_kb))
}

bt_vmstat() {
    bt_vm=''
    bt_vm_clear
    [ -r "$bt_proc/vmstat" ] || return 0
    while read -r bt_key bt_a _; do
        bt_vm_line "$bt_key" "$bt_a"
    done <"$bt_proc/vmstat"
    bt_vm_list
    case $bt_listed in *[0-9]*) bt_vm=',"vm":'$bt_listed ;; esac
}

bt_page_size() {
    bt_page_kb=
    [ -r /proc/self/smaps ] || return 0
    while read -r bt_key bt_a _; do
        case $bt_key in KernelPageSize:) bt_page_kb=$bt_a; break ;; esac
    done </proc/self/smaps
}

bt_pressure() {
    bt_psi=
    for bt_kind in cpu memory io; do
        bt_a='' bt_b=''
        [ -r "$bt_proc/pressure/$bt_kind" ] || continue
        while read -r bt_key bt_line; do
            case $bt_key in
            some) case $bt_line in *total=*) bt_a=${bt_line##*total=} ;; esac ;;
            full) case $bt_line in *total=*) bt_b=${bt_line##*total=} ;; esac ;;
            esac
        done <"$bt_proc/pressure/$bt_kind"
        bt_list "$bt_a" "$bt_b"
        [ "$bt_listed" != '[null,null]' ] || continue
        bt_psi=$bt_psi',"'$bt_kind'":'$bt_listed
    done
    [ -z "$bt_psi" ] || bt_psi=',"psi":{'${bt_psi#,}'}'
}

# Whether a line of diskstats is no whole disk, by /sys or, where that does not know it, by its name: after a disk's
# name that ends in a digit a partition is pN, else N. $bt_names has them all.
bt_partition() {
    case $1 in */*) bt_b=${1%%/*}!${1#*/} ;; *) bt_b=$1 ;; esac
    [ ! -e "$bt_sys/block/$bt_b" ] || return 1
    [ ! -e "$bt_sys/class/block/$bt_b" ] || return 0
    bt_b=${1%"${1##*[!0-9]}"}
    [ "$bt_b" != "$1" ] || return 1
    case $bt_b in *[0-9]p) case $bt_names in *" ${bt_b%p} "*) return 0 ;; esac ;; esac
    case $bt_names in *" $bt_b "*) return 0 ;; esac
    return 1
}

# $bt_disks: a member of "disk" on each line. A network block device (nbd) is a file on one of the others, if there is
# one.
bt_diskstats() {
    bt_names=' ' bt_disks='' bt_nbds=''
    [ -r "$bt_proc/diskstats" ] || return 0
    while read -r _ _ bt_a _ _ _ _ _ _ _ _ _ _ bt_b _; do
        [ -z "$bt_b" ] || bt_names="$bt_names$bt_a "
    done <"$bt_proc/diskstats"
    while bt_disk_line; do
        case $bt_a in dm-* | md* | loop* | zram* | ram* | sr* | fd* | drbd* | bcache* | zd*) continue ;; esac
        ! bt_partition "$bt_a" || continue
        bt_disk_list || continue
        bt_quote "$bt_a"
        case $bt_a in
        nbd*) bt_nbds=$bt_nbds'"'$bt_json'":'$bt_listed$bt_nl ;;
        *) bt_disks=$bt_disks'"'$bt_json'":'$bt_listed$bt_nl ;;
        esac
    done <"$bt_proc/diskstats"
    bt_disks=${bt_disks:-$bt_nbds}
}

# $bt_rank of the interface $1: 2 for hardware by /sys or, where /sys does not know it, by its name; 1 for what has a
# real name only, else 0.
bt_interface() {
    bt_rank=0
    bt_b=$bt_sys/class/net/$1
    if [ -e "$bt_b/device" ]; then
        case $1 in *.*) [ ! -e "$bt_sys/class/net/${1%%.*}" ] || return 0 ;; esac
        bt_rank=2
        return 0
    fi
    case $1 in
    lo | *.* | antrea* | azv* | bond[0-9]* | br[0-9]* | br-* | cali* | cbr[0-9]* | cilium* | cni*) return 0 ;;
    datapath* | docker* | dummy[0-9]* | eni* | erspan* | flannel* | genev* | gre[0-9]* | gretap*) return 0 ;;
    ifb[0-9]* | ip6_vti* | ip6gre* | ip6tnl* | ip_vti* | ipvlan* | kube* | lxc* | lxd* | macvlan*) return 0 ;;
    macvtap* | nodelocaldns* | ovs* | podman* | qbr* | qvb* | qvo* | sit[0-9]* | tap[0-9]* | tap*-*) return 0 ;;
    team[0-9]* | tun[0-9]* | tunl[0-9]* | vboxnet* | veth* | virbr* | vlan* | vmnet* | vnet* | vxlan*) return 0 ;;
    weave* | wg[0-9]*) return 0 ;;
    esac
    if [ ! -e "$bt_b" ]; then bt_rank=2
    elif [ ! -e "$bt_b/bridge" ] && [ ! -e "$bt_b/tun_flags" ] && [ ! -e "$bt_b/bonding" ]; then bt_rank=1
    fi
}

# $bt_master: the interface that $1 is a part of.
bt_find_master() {
    bt_master=''
    bt_b=$bt_sys/class/net/$1/master
    [ -e "$bt_b" ] || return 0
    if [ -r "$bt_b/uevent" ]; then
        while read -r bt_key; do
            case $bt_key in INTERFACE=*) bt_master=${bt_key#INTERFACE=} ;; esac
        done <"$bt_b/uevent"
    fi
    [ -n "$bt_master" ] || bt_master=$(cd "$bt_b" && bt_a=$(pwd -P) && bt_put "${bt_a##*/}")
}

# $bt_nets: a member of "net" on each line.
bt_net_dev() {
    bt_nets='' bt_best=1 bt_names=' ' bt_rows=''
    [ -r "$bt_proc/net/dev" ] || return 0
    while read -r bt_line; do
        case $bt_line in *:*) ;; *) continue ;; esac
        bt_a=${bt_line%:*}
        case $bt_a in '' | *:*) continue ;; esac # an alias has no numbers of its own
        # shellcheck disable=SC2086  # a list of numbers
        set -- ${bt_line##*:}
        bt_net_list "$@" || continue
        bt_interface "$bt_a"
        [ "$bt_rank" -ge "$bt_best" ] || continue
        [ "$bt_rank" -eq "$bt_best" ] || bt_names=' ' bt_rows='' bt_best=$bt_rank
        bt_names="$bt_names$bt_a " bt_rows="$bt_rows$bt_a $bt_listed$bt_nl"
    done <"$bt_proc/net/dev"
    while [ -n "$bt_rows" ]; do
        bt_line=${bt_rows%%"$bt_nl"*}
        bt_rows=${bt_rows#*"$bt_nl"}
        bt_a=${bt_line%% *}
        bt_find_master "$bt_a"
        case $bt_names in *" ${bt_master:-:} "*) continue ;; esac
        bt_quote "$bt_a"
        bt_nets=$bt_nets'"'$bt_json'":'${bt_line#* }$bt_nl
    done
}

# Sets $bt_parts, objects `c` without their braces, one a line, each of at most $1 bytes and some.
bt_counters() {
    bt_stat; bt_meminfo; bt_diskstats; bt_net_dev; bt_vmstat; bt_pressure
    bt_parts='' bt_part=$bt_cpu
    [ "$bt_cpus" = 0 ] || bt_part=$bt_part',"cpus":['$bt_cpus']'
    [ -z "$bt_memory" ] || bt_part=$bt_part',"mem":'$bt_memory
    bt_devices disk "$bt_disks" "$1"
    bt_devices net "$bt_nets" "$1"
    bt_part=$bt_part$bt_tasks$bt_vm$bt_psi
    bt_parts=$bt_parts${bt_part#,}
}

bt_devices() {
    bt_open=
    bt_rest=$2
    while [ -n "$bt_rest" ]; do
        bt_a=${bt_rest%%"$bt_nl"*}
        bt_rest=${bt_rest#*"$bt_nl"}
        if [ $((${#bt_part} + ${#bt_a})) -gt "$3" ] && [ -n "$bt_part" ]; then
            bt_part=$bt_part$bt_open
            bt_parts=$bt_parts${bt_part#,}$bt_nl bt_part='' bt_open=''
        fi
        if [ -z "$bt_open" ]; then bt_part=$bt_part',"'$1'":{'$bt_a; else bt_part=$bt_part,$bt_a; fi
        bt_open='}'
    done
    bt_part=$bt_part$bt_open
}

# The wall clock $bt_t and the time since boot $bt_m, in ns; status 1 where they can't be told.
bt_clock() {
    bt_up=
    bt_file=$bt_proc/uptime
    [ -r "$bt_file" ] || bt_file=/proc/uptime
    [ -r "$bt_file" ] && read -r bt_up _ <"$bt_file"
    bt_fraction=${bt_up#*.}
    bt_up=${bt_up%%.*}
    bt_numbers "$bt_up" "$bt_fraction" || return 1
    while [ "${#bt_fraction}" -lt 9 ]; do bt_fraction=${bt_fraction}0; done
    bt_m=$bt_up$bt_fraction
    while :; do case $bt_m in 0?*) bt_m=${bt_m#0} ;; *) break ;; esac; done
    [ -n "$bt_btime" ] || bt_btime=$(date +%s 2>/dev/null) bt_up=0
    bt_numbers "$bt_btime" || return 1
    # In two halves, so that no number leaves 32 bits, and with a 1 before, so that none begins with 0.
    bt_low=$((1${bt_btime#"${bt_btime%?????}"} - 100000 + bt_up % 100000))
    bt_t=$((${bt_btime%?????} + bt_up / 100000 + bt_low / 100000))
    bt_low=$((bt_low % 100000 + 100000))
    bt_t=$bt_t${bt_low#1}$bt_fraction
}

