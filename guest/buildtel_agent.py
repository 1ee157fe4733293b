#!/bin/sh
""":"
# shellcheck disable=SC1090,SC2030,SC2031,SC2034,SC2154,SC3067  # '-O' is in every shell that there is
# The buildtel guest agent. Generated: edit guest/parts. POSIX sh down to the last 'exit', Python 3.6 or newer below it.
# This first part is all that is read where the whole-life sampler is there. It tells that one which process is a step,
# and has ended, or is that step's command, when the step begins: no process of ours is parent or child of a step's.

# Hundredths of a second since the boot, in $bt_up.
bt_uptime() {
    bt_up=0
    read -r bt_up bt_x </proc/uptime || return 1
    bt_up=${bt_up%.*}${bt_up#*.}
    while :; do case $bt_up in 0?*) bt_up=${bt_up#0} ;; *) return 0 ;; esac; done
}

# Whether the process $1, which began at the tick $2, is there and neither stopped nor a zombie.
bt_alive() {
    read -r bt_x bt_x bt_state bt_x bt_x bt_x bt_x bt_x bt_x bt_x bt_x bt_x bt_x bt_x bt_x bt_x bt_x bt_x bt_x \
        bt_x bt_x bt_birth bt_x <"/proc/$1/stat" || return 1
    [ "$bt_birth" = "$2" ] || return 1
    case $bt_state in [ZXTt]) return 1 ;; esac
}

# Tells the sampler of the machine's whole life which process is a step, by a FIFO, and waits for its nod: a file of
# our pid. $1: `pre`, our parent is the step; `lead`, so it is, and its output is file 9; `run`, it is this process.
# An `echo` into a file opened for reading and writing never waits and never ends us. A sampler that does not nod in
# time is not asked again until it empties the file `deaf`. In `run` no fork is tried: where none is left, it would end
# the shell.
bt_tell() {
    bt_d=${0%/*}/life
    [ -p "$bt_d/fifo" ] || bt_d=$bt_d-user
    [ -p "$bt_d/fifo" ] && [ -w "$bt_d/fifo" ] && [ ! -s "$bt_d/deaf" ] || return 1
    echo "$1 $$" 1<>"$bt_d/fifo" || return 1
    # While it reads that.
    if ! { read -r bt_life bt_since <"$bt_d/pid" && bt_alive "$bt_life" "$bt_since"; }; then
        echo late >"$bt_d/deaf"
        return 1
    fi
    bt_turn=0 bt_until=
    while [ ! -e "$bt_d/$$" ]; do
        bt_turn=$((bt_turn + 1))
        if [ "$bt_turn" -lt 3000 ]; then
            # A fork lets the sampler run, which may wait for the CPU that we have.
            [ "$1" = run ] || case $bt_turn in [1-3] | *00) (:) ;; esac
            continue
        fi
        bt_uptime || return 1
        [ -n "$bt_until" ] || { [ "$1" = run ] && bt_until=$((bt_up + 30)) || bt_until=$((bt_up + 150)); }
        if [ "$bt_up" -gt "$bt_until" ] || ! bt_alive "$bt_life" "$bt_since"; then
            echo late >"$bt_d/deaf"
            return 0
        fi
        [ "$1" = run ] || sleep 0.01 || return 1
    done
    [ ! -e "$bt_d/$$.no" ]
}

# The options of `run`; $bt_skip is how many words they are.
bt_run_options() {
    bt_step='' bt_record='' bt_run='' bt_proc='' bt_sys='' bt_skip=$#
    while [ $# -gt 0 ]; do
        case $1 in
        --) shift; break ;;
        --*=*) bt_key=${1%%=*} bt_a=${1#*=} ;;
        --*) bt_key=$1 bt_a=${2-}; [ $# -lt 2 ] || shift ;;
        *) break ;;
        esac
        shift
        case $bt_key in
        --step) bt_step=$bt_a ;;
        --record) bt_record=$bt_a ;;
        --run) bt_run=$bt_a ;;
        --proc) bt_proc=$bt_a ;;
        --sys) bt_sys=$bt_a ;;
        *) set -- ; break ;;
        esac
    done
    bt_skip=$((bt_skip - $#))
}

if [ "${bt_loading-}" != $$ ]; then
    bt_act=${1-}
    # Functions that bash takes from the environment; `run` leaves them to its command.
    [ "$bt_act" = run ] || unset -f cat cp date echo kill ls mkdir mv printf read rm rmdir sleep 2>/dev/null
    case $bt_act in
    tell)
        # Before a step's own words in its shell: `/bin/sh -c '{ test -r $0 && . $0; } 2>/dev/null' AGENT tell UUID; `
        set +eux +C
        [ -e "/proc/$$/fd/1" ] && ! bt_tell pre || exit 0
        ;;
    run)
        set +eux +C
        shift
        bt_run_options "$@"
        shift "$bt_skip"
        if [ $# -eq 0 ]; then
            echo 'buildtel: usage: run [--step NAME] -- COMMAND [ARGUMENT ...]' >&2
            exit 2
        fi
        export BUILDTEL="$0"
        { [ -e "/proc/$$/fd/1" ] && { [ -n "$bt_record$bt_proc$bt_sys" ] || ! bt_tell run; }; } 2>/dev/null || exec "$@"
        ;;
    esac
fi

# --- Where no sampler of the machine's life answers: one is started, or Python takes the command -----

bt_python() {
    [ ! -e "${0%/*}/by-sh" ] || return 1
    bt_py=
    [ -r "${0%/*}/interpreter" ] && read -r bt_py <"${0%/*}/interpreter"
    for bt_py in "$bt_py" python3 /usr/bin/python3 /usr/local/bin/python3 /usr/libexec/platform-python; do
        [ -n "$bt_py" ] && command -v "$bt_py" >/dev/null 2>&1 && return 0
    done
    return 1
}

# Status 1 is Python's own (compiled for another version, too old a version): only then the source is tried. A Python
# that does not come to our code in two seconds is killed: status 1, too.
bt_agent() {
    for bt_file in "${0%/*}/agent.pyc" "$0"; do
        [ -r "$bt_file" ] || continue
        "$bt_py" -I -S "$bt_file" "$@" </dev/null &
        bt_pid=$!
        bt_ready bt-agent
        wait "$bt_pid" 2>/dev/null
        bt_rc=$?
        [ "$bt_rc" -eq 1 ] || return "$bt_rc"
    done
    return "$bt_rc"
}

# Waits at most two seconds, or $2 hundredths, until the process $bt_pid calls itself $1, or has ended: then status 1.
# One that does neither is killed.
bt_ready() {
    bt_turn=0 bt_until=
    while read -r bt_x bt_name bt_state bt_x <"/proc/$bt_pid/stat"; do
        case $bt_name$bt_state in "($1)"*) return 0 ;; *[ZX]) return 1 ;; esac
        bt_turn=$((bt_turn + 1))
        [ "$bt_turn" -gt 1000 ] || continue
        bt_uptime || return 1
        bt_until=${bt_until:-$((bt_up + ${2:-200}))}
        if [ "$bt_up" -ge "$bt_until" ]; then
            kill -9 "$bt_pid"
            return 1
        fi
        sleep 0.01 || :
    done 2>/dev/null # a process that has ended has no file
    return 1
}

# Whether $bt_py is a Python that we can use: it says so in two seconds, by a status that nothing else has, whatever it
# prints.
bt_is_usable() {
    "$bt_py" -I -S -c 'import sys; sys.exit(77 if sys.version_info >= (3, 6) else 1)' </dev/null >/dev/null 2>&1 &
    bt_pid=$!
    bt_ready ''
    wait "$bt_pid" 2>/dev/null
    [ $? -eq 77 ]
}

# The start of a step, by the second part of this file: $1 is the command's name, $2 the process whose command line
# has the step's. It is no child of the step either; where nobody reads its output for a second, it is given up. A step
# that a sampler began before it was killed, which has left its mark, is not begun again.
bt_by_sh() {
    for bt_file in /dev/shm/buildtel-*/at-"${2-$$}" /run/buildtel-*/at-"${2-$$}" /var/tmp/buildtel-*/at-"${2-$$}" \
        /tmp/buildtel-*/at-"${2-$$}"; do
        [ -r "$bt_file" ] || continue
        read -r bt_x bt_a <"$bt_file" || : # without a newline
        ! bt_alive "${2-$$}" "$bt_a" || return 0
    done
    # `exec`: a redirection of a function would keep the pipe of $(...) open beside.
    { bt_pid=$( (exec >&9 9>&-; bt_second_part begin "$@") & echo $!); } 9>&1
    bt_ready '' 100
}

bt_second_part() (
    bt_loading=$$ bt_pid=${3-}
    case $0 in */*) . "$0" ;; *) . "./$0" ;; esac
) 2>/dev/null

# Starts a sampler of one step in the background, where no other can be told: $1 as above, $2 the step's process, then
# options. It is no child of the step, and says by its name in /proc that the step may begin, within two seconds.
bt_watch() {
    bt_python || return 1
    for bt_file in "${0%/*}/agent.pyc" "$0"; do
        [ -r "$bt_file" ] || continue
        { bt_pid=$("$bt_py" -I -S "$bt_file" watch "$@" </dev/null >&9 9>&- & echo $!); } 9>&1
        ! bt_ready bt-watch || return 0
        [ -z "$bt_until" ] || return 1
    done
    return 1
}

# Whether `install` of these words has made its folder.
bt_is_there() {
    bt_d=/var/tmp/buildtel
    while [ $# -gt 0 ]; do
        case $1 in
        --dir) bt_d=${2-} ;;
        --dir=*) bt_d=${1#*=} ;;
        esac
        shift
    done
    [ -e "$bt_d" ]
}

if [ "${bt_loading-}" != $$ ]; then
    case $bt_act in
    tell)
        bt_step='' bt_record='' bt_run=${2-} bt_proc='' bt_sys=''
        bt_watch pre "$PPID" --run "$bt_run" || bt_by_sh '' "$PPID"
        exit 0
        ;;
    run)
        { bt_watch run "$$" --step "$bt_step" --run "$bt_run" --label "${1##*/}" --proc "${bt_proc:-/proc}" \
            --sys "${bt_sys:-/sys}" ${bt_record:+--record "$bt_record"} || bt_by_sh "${1##*/}"; } 2>/dev/null
        exec "$@"
        ;;
    pre)
        # For templates of before: words to put before a command so that it runs as a step; none where a shell would
        # cut our path in two.
        case $0 in *[!0-9A-Za-z/._+:@%,=-]*) exit 0 ;; esac
        bt_sh='sh'
        # A script without '#!' is run by the shell that starts it: keep the login shell, unless sudo or env do it.
        case ${3-}${SHELL-} in
        /bin/bash | /usr/bin/bash | /bin/dash | /usr/bin/dash | /bin/ash | /bin/mksh) bt_sh=$SHELL ;;
        esac
        case ${2-} in '' | *[!A-Za-z0-9-]*) echo "$bt_sh $0 run --" ;; *) echo "$bt_sh $0 run --run $2 --" ;; esac
        exit 0
        ;;
    lead)
        # For templates of before, the piece before a command: the shell of the pieces is the step, file 9 its output.
        bt_run=; [ "${2-}" != --run ] || bt_run=${3-}
        { bt_tell lead || bt_watch lead "$PPID" --run "$bt_run" >&9; } 2>/dev/null && exit 0
        ;;
    trail) [ -n "${3-}" ] || exit 0 ;; # the piece behind it: the sampler writes the end
    esac
    if [ "$bt_act" != trail ] && [ "$bt_act" != lead ] && bt_python; then
        if [ "$bt_act" != install ] || bt_is_usable; then
            bt_agent "$@"
            bt_rc=$?
            # The agent has 0 and 2 only; all others are of a Python that can't be started, is too old, or crashes.
            case $bt_rc in
            0) [ "$bt_act" = install ] && ! bt_is_there "$@" || exit 0 ;;
            2) exit 2 ;;
            esac
        fi
    fi
    bt_step='' bt_record='' bt_run='' bt_proc='' bt_sys=''
fi

# --- The second part: start and end by POSIX sh alone (dash, bash, busybox, mksh). No other command is run to record;
# to install and to keep begun steps it takes mkdir, cp, mv, rm and rmdir. Numbers of the kernel stay text: mksh has
# 32 bits. The clocks are /proc/uptime, of 10 ms, and btime, of 1 s.

set -f
LC_ALL=C
bt_nl='
'
bt_hex=0123456789abcdef
bt_rule='═══════════════════════════════════════════════════════════════════════'
bt_thin='───────────────────────────────────────────────────────────────────────'
# The characters from blank to tilde, in the order of their codes.
bt_ascii=' !"#$%&'"'"'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ['\\']^_`abcdefghijklmnopqrstuvwxyz{|}~'
bt_high=''
bt_backslash=\\
bt_tag=BUILDTEL:

bt_put() {
    case ${KSH_VERSION-} in '') printf %s "$1" ;; *) print -rn -- "$1" ;; esac
}

# $bt_cut: $1, or its first 500 bytes: more than a name holds, and little enough for the loops below.
bt_shorten() {
    bt_cut=$1
    [ "${#1}" -gt 500 ] || return 0
    case ${KSH_VERSION-} in '') bt_cut=$(printf %.500s "$1") ;; *) eval 'bt_cut=${1:0:500}' ;; esac
}

# The code of the byte $bt_char, as $bt_n.
bt_code() {
    bt_before=${bt_ascii%%"$bt_char"*}
    bt_n=$((32 + ${#bt_before}))
    [ "$bt_n" -gt 126 ] || return 0
    [ -n "$bt_high" ] || bt_high=$(bt_high_bytes)
    bt_before=${bt_high%%"$bt_char"*}
    bt_n=$((128 + ${#bt_before}))
}

bt_high_bytes() {
    bt_bytes=
    for bt_a in 2 3; do
        for bt_b in 0 1 2 3 4 5 6 7; do
            for bt_d in 0 1 2 3 4 5 6 7; do bt_bytes=$bt_bytes$bt_backslash"0$bt_a$bt_b$bt_d"; done
        done
    done
    case ${KSH_VERSION-} in '') printf %b "$bt_bytes" ;; *) print -n -- "$bt_bytes" ;; esac
}

# Feeds text into the CRC-32 that stands in $bt_c: a row of the usual table is the sum of the rows of its index's bits.
# Signed, so that 32 bits are enough.
bt_crc() {
    bt_rest=$1
    while [ -n "$bt_rest" ]; do
        bt_tail=${bt_rest#????????????????????????????????????????????????????????????????}
        if [ "$bt_tail" = "$bt_rest" ]; then bt_tail=''; fi
        bt_chunk=${bt_rest%"$bt_tail"}
        bt_rest=$bt_tail
        while [ -n "$bt_chunk" ]; do
            bt_tail=${bt_chunk#?}
            bt_char=${bt_chunk%"$bt_tail"}
            bt_chunk=$bt_tail
            case $bt_char in
            [0-9]) bt_n=$((48 + bt_char)) ;;
            ,) bt_n=44 ;;
            '"') bt_n=34 ;;
            *) bt_code ;;
            esac
            bt_n=$(((bt_c ^ bt_n) & 255))
            bt_c=$(((bt_c >> 8 & 16777215) ^ (bt_n & 1) * 1996959894 ^ (bt_n >> 1 & 1) * -301047508 \
                ^ (bt_n >> 2 & 1) * 124634137 ^ (bt_n >> 3 & 1) * 249268274 ^ (bt_n >> 4 & 1) * 498536548 \
                ^ (bt_n >> 5 & 1) * 997073096 ^ (bt_n >> 6 & 1) * 1994146192 ^ (bt_n >> 7) * -306674912))
        done
    done
}

# $bt_c, complemented, as eight digits in $bt_digits.
bt_crc_digits() {
    bt_digits=
    for bt_shift in 28 24 20 16 12 8 4 0; do
        bt_n=$(((~bt_c >> bt_shift) & 15))
        bt_tail=$bt_hex
        while [ "$bt_n" -gt 0 ]; do bt_tail=${bt_tail#?} bt_n=$((bt_n - 1)); done
        bt_digits=$bt_digits${bt_tail%"${bt_tail#?}"}
    done
}

bt_crc_of() {
    bt_c=-1
    bt_crc "$1"
    bt_crc_digits
}

# Appends a UTF-16 unit to the JSON string under way.
bt_unit() {
    bt_json=$bt_json${bt_backslash}u
    for bt_shift in 12 8 4 0; do
        bt_n=$((($1 >> bt_shift) & 15))
        bt_tail=$bt_hex
        while [ "$bt_n" -gt 0 ]; do bt_tail=${bt_tail#?} bt_n=$((bt_n - 1)); done
        bt_json=$bt_json${bt_tail%"${bt_tail#?}"}
    done
}

bt_character() {
    bt_length=$((bt_length + 1))
    if [ "$1" -gt 65535 ]; then
        bt_unit $((55296 + (($1 - 65536) >> 10)))
        bt_unit $((56320 + (($1 - 65536) & 1023)))
    else
        bt_unit "$1"
    fi
}

# A name as the inside of a JSON string in $bt_json: ASCII, at most 120 characters, no blanks around it. What is no
# UTF-8 becomes U+FFFD, control characters blanks.
bt_quote() {
    bt_rest=$1 bt_json='' bt_length=0 bt_want=0
    while :; do
        case $bt_rest in
        ["$IFS"]*) bt_rest=${bt_rest#?} ;;
        *["$IFS"]) bt_rest=${bt_rest%?} ;;
        *) break ;;
        esac
    done
    while [ -n "$bt_rest" ] && [ "$bt_length" -lt 120 ]; do
        bt_tail=${bt_rest#?}
        bt_char=${bt_rest%"$bt_tail"}
        bt_rest=$bt_tail
        bt_code
        if [ "$bt_want" -gt 0 ] && [ "$bt_n" -ge 128 ] && [ "$bt_n" -le 191 ]; then
            bt_point=$((bt_point * 64 + (bt_n & 63))) bt_want=$((bt_want - 1))
            [ "$bt_want" -gt 0 ] || bt_character "$bt_point"
            continue
        fi
        [ "$bt_want" -eq 0 ] || bt_character 65533
        bt_begin_character
    done
    [ "$bt_want" -eq 0 ] || bt_character 65533
    bt_json=${bt_json%"${bt_json##*[! ]}"}
}

bt_begin_character() {
    bt_want=0
    if [ "$bt_n" -gt 255 ]; then bt_json=$bt_json' ' bt_length=$((bt_length + 1))
    elif [ "$bt_n" -lt 128 ]; then
        case $bt_char in '"' | "$bt_backslash") bt_json=$bt_json$bt_backslash ;; esac
        bt_json=$bt_json$bt_char bt_length=$((bt_length + 1))
    elif [ "$bt_n" -ge 240 ] && [ "$bt_n" -lt 245 ]; then bt_want=3 bt_point=$((bt_n & 7))
    elif [ "$bt_n" -ge 224 ] && [ "$bt_n" -lt 240 ]; then bt_want=2 bt_point=$((bt_n & 15))
    elif [ "$bt_n" -ge 194 ] && [ "$bt_n" -lt 224 ]; then bt_want=1 bt_point=$((bt_n & 31))
    else bt_character 65533
    fi
}

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

# --- Records ---

bt_identify() {
    bt_sid='' bt_boot='' bt_seq=0
    [ -r "$bt_proc/sys/kernel/random/boot_id" ] && read -r bt_boot <"$bt_proc/sys/kernel/random/boot_id"
    case $bt_boot in *[!0-9a-f-]*) bt_boot='' ;; esac
    [ -r /proc/sys/kernel/random/uuid ] && read -r bt_sid </proc/sys/kernel/random/uuid
    bt_a=${bt_sid#????????-????}
    bt_sid=${bt_sid%"$bt_a"}
    bt_sid=${bt_sid%-*}${bt_sid#*-}
    case $bt_sid in
    ????????????) ;;
    *) bt_sid=$((1000000 + $$ % 1000000))${bt_m-}000000000000; bt_sid=${bt_sid%"${bt_sid#????????????}"} ;;
    esac
    case $bt_run in *[!0-9A-Za-z-]*) bt_run='' ;; esac
}

# Writes event $1 with the fields $2 in its first and $3 in all of its records, $4 ('"last":true' or nothing) in its
# last one, and $bt_parts as its counters. Text before it: $5.
bt_emit() {
    bt_fields=$2 bt_of=1 bt_at=1 bt_rest_parts=$bt_parts bt_text=$5
    bt_b=$bt_parts
    while :; do case $bt_b in *"$bt_nl"*) bt_b=${bt_b#*"$bt_nl"} bt_of=$((bt_of + 1)) ;; *) break ;; esac; done
    bt_event=$1 bt_shared=$3 bt_last=$4
    while [ "$bt_at" -le "$bt_of" ]; do
        bt_part=${bt_rest_parts%%"$bt_nl"*}
        bt_rest_parts=${bt_rest_parts#*"$bt_nl"}
        bt_seq=$((bt_seq + 1))
        bt_record='{"v":1,"ev":"'$bt_event'","sid":"'$bt_sid'","seq":'$bt_seq
        [ -z "$bt_boot" ] || bt_record=$bt_record',"boot":"'$bt_boot'"'
        [ -z "$bt_run" ] || bt_record=$bt_record',"run":"'$bt_run'"'
        [ "$bt_of" -eq 1 ] || bt_record=$bt_record',"part":'$bt_at',"of":'$bt_of
        bt_record=$bt_record$bt_shared$bt_fields
        [ -z "$bt_part" ] || bt_record=$bt_record',"c":{'$bt_part'}'
        [ "$bt_at" -lt "$bt_of" ] || bt_record=$bt_record$bt_last
        bt_c=-1
        bt_crc "$bt_record"
        [ "$bt_at$bt_of$bt_event" != 11start ] || bt_clock
        bt_stamp=',"t":'$bt_t',"m":'$bt_m
        bt_crc "$bt_stamp"
        bt_crc_digits
        bt_put "$bt_text$bt_tag$bt_record$bt_stamp"',"crc":"'"$bt_digits"'"}'"$bt_nl" >&9
        bt_fields='' bt_text='' bt_at=$((bt_at + 1))
    done
}

bt_hello() {
    bt_version=$(bt_literal __version__)
    bt_kernel='' bt_os='' bt_arch='' bt_has_psi=false
    [ -r /proc/sys/kernel/osrelease ] && read -r bt_kernel </proc/sys/kernel/osrelease
    [ -r /proc/sys/kernel/arch ] && read -r bt_arch </proc/sys/kernel/arch
    [ ! -r /etc/os-release ] || while IFS='=' read -r bt_key bt_a; do
        [ "$bt_key" != PRETTY_NAME ] || { bt_a=${bt_a#[\"\']}; bt_os=${bt_a%[\"\']}; }
    done </etc/os-release
    [ -r "$bt_proc/pressure/cpu" ] && read -r bt_a _ <"$bt_proc/pressure/cpu" && [ -n "$bt_a" ] && bt_has_psi=true
    bt_hello_fields=
    bt_member agent "$bt_version"
    bt_hello_fields=$bt_hello_fields',"python":null,"by":"sh"'
    bt_list "$bt_total"
    [ "$bt_cpus" != 0 ] || bt_cpus=null
    bt_a=${bt_listed#[}
    bt_hello_fields=$bt_hello_fields',"cpus":'$bt_cpus',"memory_total_kb":'${bt_a%]}',"disk_total_kb":null'
    bt_member kernel "$bt_kernel"
    bt_member os "$bt_os"
    bt_member arch "$bt_arch"
    bt_parts=''
    bt_gap=
    case $bt_act in start | mark) bt_gap=$bt_nl ;; esac
    bt_emit hello "$bt_hello_fields"',"hz":100,"psi":'$bt_has_psi '' '' "$bt_gap"
}

# Adds a member with a text or null to the fields of a hello.
bt_member() {
    bt_string "$2"
    bt_hello_fields=$bt_hello_fields',"'$1'":'$bt_json
}

# A name as JSON in $bt_json, null where it is empty.
bt_string() {
    bt_quote "$1"
    bt_json=${bt_json:+'"'$bt_json'"'}
    bt_json=${bt_json:-null}
}

# The text between `NAME = ...` and its end, of the Python part below.
bt_literal() {
    bt_inside=
    while IFS= read -r bt_line; do
        case $bt_inside$bt_line in
        "$1 = "'""'\"*) bt_inside='>' ;;
        '>""'\"*) return ;;
        '>'*) bt_put "$bt_line$bt_nl" ;;
        "$1 = "*) bt_line=${bt_line#*\"}; bt_put "${bt_line%%\"*}"; return ;;
        esac
    done <"$0"
}

bt_now() {
    date '+%Y-%m-%dT%H:%M:%S%z' 2>/dev/null || echo n/a
}

# --- Commands ---

bt_options() {
    bt_1='' bt_2='' bt_3='' bt_4='' bt_status='' bt_dir='' bt_to='' bt_given=0 bt_block='' bt_records=''
    while [ $# -gt 0 ]; do
        case $1 in
        --*=*) bt_key=${1%%=*} bt_a=${1#*=} ;;
        --*) bt_key=$1 bt_a=${2-}; [ $# -lt 2 ] || shift ;;
        *) bt_key='' bt_a=$1 bt_given=$((bt_given + 1)) ;;
        esac
        shift
        case $bt_key in
        '') [ "$bt_given" -gt 4 ] || bt_words "$bt_given" "$bt_a" ;;
        --step) bt_step=$bt_a ;;
        --run) bt_run=$bt_a ;;
        --proc) bt_proc=$bt_a ;;
        --sys) bt_sys=$bt_a ;;
        --record) bt_record=$bt_a ;;
        --status) bt_status=$bt_a ;;
        --dir) bt_dir=$bt_a ;;
        --to) bt_to=$bt_a ;;
        --block) bt_block=$bt_a ;;
        --records) bt_records=$bt_a ;;
        --label) ;;
        *) bt_usage "unknown option $bt_key" ;;
        esac
    done
}

# $bt_quoted: $1 as a word of sh.
bt_shell_word() {
    bt_quoted=$1
    case $1 in *[!0-9A-Za-z/._+:@%,=-]*) ;; *) return 0 ;; esac
    bt_quoted=\' bt_rest=$1
    while :; do
        case $bt_rest in *\'*) ;; *) break ;; esac
        bt_quoted=$bt_quoted${bt_rest%%\'*}"'$bt_backslash''"
        bt_rest=${bt_rest#*\'}
    done
    bt_quoted=$bt_quoted$bt_rest\'
}

bt_words() {
    case $1 in
    1) bt_1=$2 ;;
    2) bt_2=$2 ;;
    3) bt_3=$2 ;;
    4) bt_4=$2 ;;
    esac
}

bt_usage() {
    echo "buildtel: $1" >&2
    bt_literal USAGE >&2
    exit 2
}

# What every command does first.
bt_prepare() {
    bt_proc=${bt_proc:-/proc} bt_sys=${bt_sys:-/sys} bt_run=${bt_run:-${BUILDTEL_RUN-}}
    bt_parent=$bt_outer
    case $bt_parent in *[!0-9A-Za-z.]*) bt_parent='' ;; esac
    [ -n "$bt_step$bt_parent" ] || bt_step=${BUILDTEL_STEP-}
    bt_shorten "$bt_step"
    bt_step=$bt_cut
    [ -n "$bt_step$bt_parent" ] || [ -z "${bt_pid-}" ] || bt_step_of "$bt_pid"
    bt_home=
    case $0 in */*) [ ! -e "${0%/*}/by-sh" ] || bt_home=${0%/*} ;; esac
    bt_read_quiet
    bt_identify
    bt_stat
    bt_meminfo
    bt_page_size
    bt_clock
}

# $bt_quiet: what is to stay out of the output, as Python's quiet_words tells it. There are no records but those in it.
bt_read_quiet() {
    bt_quiet=
    if [ -e "${0%/*}/by-sh" ] || [ -e "${0%/*}/agent.pyc" ]; then
        [ ! -r "${0%/*}/buildtel_quiet" ] || read -r bt_quiet <"${0%/*}/buildtel_quiet"
    elif [ "${BUILDTEL_BLOCK-}" = false ]; then
        bt_quiet=block
    fi
    case " $bt_quiet " in *' block '*) bt_no_block=1 ;; *) bt_no_block='' ;; esac
}

# The value of BUILDTEL_STEP on the command line of the process $1, as its shell takes it, in $bt_step.
bt_step_of() {
    while IFS= read -r bt_rest || [ -n "$bt_rest" ]; do
        case $bt_rest in *BUILDTEL_STEP=*) ;; *) continue ;; esac
        bt_rest=${bt_rest#*BUILDTEL_STEP=}
        bt_shorten "$bt_rest"
        case $bt_cut in
        "$bt_rest") ;;
        [\'\"]*) bt_rest=$bt_cut${bt_cut%"${bt_cut#?}"} ;; # its first quote, for the one that was cut off
        *) bt_rest=$bt_cut ;;
        esac
        while :; do
            case $bt_rest in
            \'*\'*) bt_rest=${bt_rest#\'} bt_a=\' ;;
            '"'*'"'*) bt_rest=${bt_rest#?} bt_a='"' ;;
            *) break ;;
            esac
            bt_step=$bt_step${bt_rest%%"$bt_a"*}
            bt_rest=${bt_rest#*"$bt_a"}
        done
        bt_step=$bt_step${bt_rest%%[" ;&|<>()"]*}
        return 0
    done <"/proc/$1/cmdline"
}

# Says hello where nobody has: once by `install`, again after a reboot, and for each step where nothing is installed.
bt_greet() {
    [ -z "$bt_parent" ] || [ -n "$bt_home" ] || return 0
    bt_a=
    [ -z "$bt_home" ] || read -r bt_a <"$bt_home/by-sh"
    [ -z "$bt_a" ] || [ "$bt_a" != "$bt_boot" ] || return 0
    [ -z "$bt_home" ] || bt_put "$bt_boot$bt_nl" >"$bt_home/by-sh"
    bt_hello
}

# Begins a step named $1, shown as $2; $bt_by is the command that does, empty for a provisioner's own.
bt_begin() {
    bt_greet
    bt_begins=$3
    if [ -z "$bt_no_block" ]; then
        bt_put "$bt_begins$bt_rule$bt_nl⏱️  [$2] START: $(bt_now)$bt_nl$bt_thin$bt_nl" >&9
        bt_begins=
    fi
    bt_string "$1"
    bt_a='"'$bt_parent'"'
    [ -n "$bt_parent" ] || bt_a=null
    bt_name=',"name":'"$bt_json"',"parent":'$bt_a${bt_by:+',"by":"'$bt_by'"'}
    bt_counters $((2685 - ${#bt_json}))
    bt_clock
    bt_emit start "$bt_name" ',"step":"'"$bt_sid.1"'"' "${4-}" "$bt_begins"
}

# Ends the step $1, of name $2, shown as $3, begun at $4, with status $5; no blanks in $1 where it is known.
bt_end() {
    bt_string "$2"
    bt_name=$bt_json
    bt_list "$5"
    bt_exit=${bt_listed#[}
    bt_exit=${bt_exit%]} bt_signal=null
    ! bt_numbers "$5" || [ "$5" -le 128 ] || [ "$5" -gt 192 ] || bt_signal=$(($5 - 128))
    bt_id=null
    case $1 in '' | *[!0-9A-Za-z.]*) ;; *) bt_id='"'$1'"' ;; esac
    bt_counters $((2700 - ${#bt_name}))
    bt_emit end ',"name":'"$bt_name"',"exit":'"$bt_exit"',"signal":'$bt_signal',"peak_kb":null,"procs":null' \
        ',"step":'"$bt_id" ',"last":true' "$bt_nl"
    [ -z "$bt_no_block" ] || return 0
    bt_duration "${4:-x}"
    bt_put "$bt_thin$bt_nl⏱️  [$3] END: $(bt_now)$bt_nl$bt_nl  Duration:      $bt_took$bt_nl" >&9
    bt_put "  Exit:          ${5:-n/a}$bt_nl  Figures:       in the job document (no Python)$bt_nl$bt_rule$bt_nl" >&9
}

# $bt_took: from $1, in ns, to $bt_m, as seconds.
bt_duration() {
    bt_took=n/a
    bt_numbers "$1" && [ "${#1}" -gt 8 ] || return 0
    bt_a=${1%????????} bt_b=${bt_m%????????}
    [ "${#bt_a}" -lt 10 ] && [ "${#bt_b}" -lt 10 ] || return 0
    bt_a=$((bt_b - bt_a))
    bt_took=$((bt_a / 10)).$((bt_a % 10))s
}

# $bt_place: this user's folder on a tmpfs, named as the Python part names it; $bt_stem without the user.
bt_places() {
    bt_crc_of "${bt_home:-$0}"
    bt_stem=buildtel-$bt_digits- bt_uid='' bt_place=''
    while read -r bt_key bt_a _; do
        [ "$bt_key" != Uid: ] || { bt_uid=$bt_a; break; }
    done </proc/self/status
}

bt_make_place() {
    for bt_a in /dev/shm /run /var/tmp /tmp; do
        bt_place=$bt_a/$bt_stem$bt_uid
        [ -e "$bt_place" ] || mkdir -m 755 "$bt_place" 2>/dev/null
        ! bt_own "$bt_place" || return 0
    done
    bt_place=''
    return 1
}

# Whether a folder is a real one that only we can write to.
bt_own() {
    [ -d "$1" ] && [ ! -L "$1" ] && [ -O "$1" ] || return 1
    case $(ls -ld "$1" 2>/dev/null) in d????-??-*) return 0 ;; esac
    return 1
}

bt_mark() {
    bt_greet
    bt_string "$bt_1"
    bt_a='"'$bt_parent'"' bt_parts=''
    [ -n "$bt_parent" ] || bt_a=null
    bt_emit mark ',"name":'"$bt_json"',"parent":'"$bt_a" '' ',"last":true' "$bt_nl"
}

bt_start() {
    bt_shown=${bt_1:-step} bt_by=start
    bt_begin "$bt_shown" "$bt_shown" "$bt_nl" ',"last":true'
    bt_places
    bt_crc_of "$bt_shown"
    bt_file=$bt_m
    while [ "${#bt_file}" -lt 20 ]; do bt_file=0$bt_file; done
    ! bt_make_place || (set -C; bt_put "$bt_sid.1$bt_nl$bt_m" >"$bt_place/step-$bt_digits-$bt_file")
}

# Ends the last step that was begun under this name.
bt_finish_step() {
    bt_shown=${bt_1:-step} bt_begun='' bt_2='' bt_3=''
    bt_places
    bt_crc_of "$bt_shown"
    set +f
    for bt_file in /dev/shm/"$bt_stem"*/step-"$bt_digits"-* /run/"$bt_stem"*/step-"$bt_digits"-* \
        /var/tmp/"$bt_stem"*/step-"$bt_digits"-* /tmp/"$bt_stem"*/step-"$bt_digits"-*; do
        if [ -f "$bt_file" ] && [ ! -L "$bt_file" ]; then bt_begun=$bt_file; fi
    done
    set -f
    if [ -n "$bt_begun" ]; then
        { read -r bt_2; read -r bt_3; } <"$bt_begun"
        rm -f "$bt_begun"
    fi
    bt_end "$bt_2" "$bt_shown" "$bt_shown" "$bt_3" "$bt_status"
    [ -z "$bt_begun" ] || rmdir "${bt_begun%/*}" 2>/dev/null
}

bt_install() {
    bt_home=${bt_dir:-/var/tmp/buildtel}
    bt_run=${bt_run:-$bt_1}
    [ -e "$bt_home" ] || mkdir -m 755 "$bt_home"
    if ! bt_own "$bt_home"; then
        echo "buildtel: $bt_home belongs to somebody else; steps will not be measured"
        return
    fi
    rm -f "$bt_home/agent.pyc" "$bt_home/interpreter" "$bt_home/life"
    bt_put "$bt_boot$bt_nl" >"$bt_home/by-sh"
    rm -f "$bt_home/buildtel_quiet"
    [ "$bt_block" = false ] && bt_a=block || bt_a=
    [ "$bt_records" != spool ] || bt_a="$bt_a records"
    [ -z "$bt_a" ] || bt_put "$bt_a$bt_nl" >"$bt_home/buildtel_quiet"
    if ! [ -s "$bt_home/by-sh" ] || ! bt_put_agent; then
        echo "buildtel: can't write to $bt_home (disk full?); steps will not be measured"
        rm -f "$bt_home/by-sh" "$bt_home/buildtel_agent.py.new" "$bt_home/buildtel_agent.py" "$bt_home/buildtel_quiet"
        rmdir "$bt_home"
        return
    fi
    bt_hello
    echo "buildtel: agent $bt_version installed in $bt_home (no usable Python: start and end of steps only)"
}

bt_put_agent() {
    [ "$0" != "$bt_home/buildtel_agent.py" ] || return 0
    cp "$0" "$bt_home/buildtel_agent.py.new" && mv -f "$bt_home/buildtel_agent.py.new" "$bt_home/buildtel_agent.py"
}

# Removes all that either part's `install` left; a sampler of the Python part sees it and goes. The agent goes last: as
# long as anything else is there, `finish` can be called again.
bt_remove() {
    case $0 in */*) bt_home=${0%/*} ;; *) bt_home=. ;; esac
    [ "$bt_home" = /var/tmp/buildtel ] || [ -e "$bt_home/by-sh" ] || [ -e "$bt_home/interpreter" ] || return 0
    bt_places
    rm -f "$bt_home/agent.pyc" 2>/dev/null
    if bt_numbers "${bt_t-}" "${bt_m-}"; then
        bt_counters 2700
        bt_emit bye '' '' ',"last":true' ''
    fi
    set +f
    for bt_file in /dev/shm/"$bt_stem"* /run/"$bt_stem"* /var/tmp/"$bt_stem"* /tmp/"$bt_stem"*; do
        bt_empty "$bt_file"
    done
    rm -f "$bt_home"/buildtel_rest-* "$bt_home/life" "$bt_home/life-user" "$bt_home/buildtel_quiet" 2>/dev/null
    set -- "$bt_home/by-sh" "$bt_home/interpreter" "$bt_home/buildtel_quiet" "$bt_home/buildtel_agent.py"
    if [ "$bt_home" = /var/tmp/buildtel ]; then # all of it is ours
        for bt_file in "$bt_home"/*; do
            [ "$bt_file" = "$bt_home/buildtel_agent.py" ] || rm -rf "$bt_file"
        done 2>/dev/null
        rm -rf "$bt_home" 2>/dev/null # one process for the agent and its folder
        set -- "$bt_home"/*
    fi
    rm -f "$bt_home/by-sh" "$bt_home/interpreter" "$bt_home/buildtel_agent.py" 2>/dev/null
    rmdir "$bt_home" 2>/dev/null
    for bt_file; do
        [ ! -e "$bt_file" ] ||
            echo "buildtel: can't remove $bt_file (another user's, or in use); remove it in a last step as root"
    done
    [ -z "$bt_to" ] || [ ! -O "$bt_to" ] || [ -L "$bt_to" ] || rm -f "$bt_to"
}

# From inside, so that nobody can put another folder into its place meanwhile.
bt_empty() (
    [ -d "$1" ] && [ ! -L "$1" ] || return 0
    bt_a=$(cd "${1%/*}" && pwd -P)
    cd "$1" && [ "$(pwd -P)" = "$bt_a/${1##*/}" ] || return 0
    rm -f -- ./*
    cd / && rmdir "$1"
) 2>/dev/null

bt_by=
if [ "${bt_loading-}" = $$ ]; then
    [ "$bt_act" != run ] || bt_by=run
    bt_act=$1 bt_label=${2-} bt_to='' bt_outer=''
    exec 9>&1
else
    [ $# -eq 0 ] || shift
    bt_outer=${BUILDTEL_PARENT-} bt_label=''
    bt_options "$@"
    [ "$bt_act" = lead ] || exec 9>&1
fi
case $bt_act in
--version) bt_literal __version__; echo; exit 0 ;;
shell-init)
    bt_a=$0
    [ "${bt_a#/}" != "$bt_a" ] && [ -e "${0%/*}/by-sh" ] || bt_a=/var/tmp/buildtel/buildtel_agent.py
    bt_shell_word "$bt_a"
    bt_a=$bt_quoted
    bt_literal SHELL_INIT | while IFS= read -r bt_line; do
        case $bt_line in *%s*) bt_line=${bt_line%%%s*}$bt_a${bt_line#*%s} ;; esac
        bt_put "$bt_line$bt_nl"
    done
    exit 0
    ;;
begin | lead | trail | start | end | mark | install | finish | spool) ;;
*) bt_usage "${bt_act:+no such command: }${bt_act:-which command?}" ;;
esac
exec 2>/dev/null
[ -z "$bt_record" ] || exec 9>>"$bt_record"
if bt_prepare; then
    case $bt_act in
    begin | lead) bt_begin "$bt_step" "${bt_step:-${bt_label:-step}}" '' ',"last":true' ;;
    trail) bt_end "${bt_2:-$bt_sid.1}" "$bt_step" "${bt_step:-${bt_label:-step}}" "$bt_3" "$bt_4" ;;
    start) bt_start ;;
    end) bt_status=${bt_status:-$bt_2}; bt_finish_step ;;
    mark) bt_mark ;;
    install) bt_install ;;
    esac
    [ "$bt_act" != lead ] || echo "$bt_sid.1 - $bt_m ${bt_home:+$0}"
fi
[ "$bt_act" != finish ] || bt_remove
[ "$bt_act" != spool ] || [ -z "$bt_to" ] || (set -C; : >"$bt_to") 2>/dev/null
exit 0
":"""
# The Python part. Charter: it never harms the build, leaves nothing behind, tells the truth, is small.
# It imports nothing that costs: see docs/architecture.md, "What a start costs".
import sys

if sys.version_info < (3, 6):
    raise SystemExit(1)  # the sh part then records by itself

import _signal
import posix
import select
import time
from zlib import crc32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Collection, Iterable, Iterator

__version__ = "0.2.0"
PROTOCOL = 1
RECORD_BYTES = 3500  # one write(2) below PIPE_BUF, with room for Packer's prefix and colours
BEAT_S = 30.0
SERIES_POINTS = 60
FLUSH_ROWS = 120
AT_ONCE_MS = 20
INSTALL_DIR = "/var/tmp/buildtel"  # survives a reboot, unlike /tmp and /run, and may be noexec
SPOOL_ROOTS = ("/dev/shm", "/run", "/var/tmp", "/tmp")  # a tmpfs where one can be had
MB = 1048576.0
LATER = b""  # the parts that are loaded later, compiled, in the agent that `install` leaves


def load_later() -> "None":
    """Loads the parts of this agent that a step's first milliseconds do not need, where they are not loaded yet."""
    global LATER
    if LATER:
        from marshal import loads

        compiled, LATER = LATER, b""
        exec(loads(compiled), globals())


# --- Reading the kernel's numbers -------------------------------------------------------------------


def parse_stat(text: "bytes") -> "list[int | None]":
    """`[user, nice, system, idle, iowait, irq, softirq, steal]`, ticks over all CPUs.

    Source: the line `cpu` of /proc/stat; Linux 2.6.11 and later have all eight. Containers may have two such lines,
    one of them all zero.
    """
    rows = [line.split()[1:9] for line in text.split(b"\n") if line[:4] == b"cpu "]
    rows = [row for row in rows if len(row) >= 4 and all(value.isdigit() for value in row[:4])]
    chosen = next((row for row in rows if any(value.strip(b"0") for value in row)), rows[0] if rows else [])
    return [_number(value) for value in chosen] + [None] * (8 - len(chosen)) if chosen else []


def parse_cpus(text: "bytes") -> "list[int]":
    """`[cpus]` that are online. Source: the lines `cpuN` of /proc/stat."""
    count = sum([line[:3] == b"cpu" and line[3:4].isdigit() for line in text.split(b"\n")])
    return [count] if count else []


def parse_tasks(text: "bytes") -> "list[int | None]":
    """The group `tasks`. Source: the last lines of /proc/stat."""
    return [_number_after(text, key) for key in TASKS_KEYS]


def _number(word: "bytes") -> "int | None":
    """A counter; None for what is none, or is more than any counter reaches (what is below 0 is printed as 2**64)."""
    return int(word) if word.isdigit() and len(word) < 19 else None


def parse_meminfo(text: "bytes") -> "list[int | None]":
    """`[total_kb, available_kb]`; where the kernel does not tell the second, a third that stands for it.

    Source: /proc/meminfo; MemAvailable since Linux 3.14, before that free memory, buffers and cache together.
    """
    total, available = _number_after(text, b"MemTotal:"), _number_after(text, b"MemAvailable:")
    parts = [_number_after(text, key) for key in (b"MemFree:", b"Buffers:", b"Cached:")]
    known = [part for part in parts if part is not None]
    if total is None:
        return []
    return [total, None, sum(known)] if available is None and len(known) == 3 else [total, available]


def parse_vmstat(text: "bytes", page_kb: "int") -> "list[int | None]":
    """The group `vm`. Source: /proc/vmstat, where what is in kB here is in pages."""
    found = []  # type: list[int | None]
    for keys, in_pages in VM_KEYS:
        numbers = [number for number in [_number_after(text, key) for key in keys] if number is not None]
        found.append(sum(numbers) * (page_kb if in_pages else 1) if numbers else None)
    return found


def _number_after(text: "bytes", key: "bytes") -> "int | None":
    at = 0 if text.startswith(key) else text.find(b"\n" + key) + 1
    if at == 0 and not text.startswith(key):
        return None
    words = text[at + len(key) : at + len(key) + 24].split(None, 1)
    return _number(words[0]) if words else None


def parse_pressure(text: "bytes") -> "list[int | None]":
    """`[some_us, full_us]` stalled since boot.

    Source: /proc/pressure/*; Linux 4.20 with CONFIG_PSI; `full` of cpu since 5.13, of a whole machine 0.
    """
    totals = {line[:5]: _number(line.rpartition(b"total=")[2]) for line in text.splitlines()}
    return [totals.get(b"some "), totals.get(b"full ")]


def parse_diskstats(
    text: "bytes", whole: "Callable[[tuple[str, ...]], Iterable[str]]"
) -> "dict[str, list[int | None]]":
    """The group `disk`, by disk. Source: /proc/diskstats; sectors are of 512 bytes on every device."""
    found = {}
    for line in text.splitlines():
        row = line.split(None, max(DISK_AT) + 1)
        numbers = _numbers(row, DISK_AT)
        if len(row) > 2 and None not in numbers[: COUNTERS["disk"][2]]:
            found[row[2].decode("ascii", "replace")] = numbers
    return {name: found[name] for name in whole(tuple(found))}


def parse_net_dev(
    text: "bytes", real: "Callable[[tuple[str, ...]], Iterable[str]]"
) -> "dict[str, list[int | None]]":
    """The group `net`, by interface. Source: /proc/net/dev. An alias (`eth0:1`) has no numbers of its own."""
    found = {}
    for line in text.splitlines():
        name, _, rest = line.rpartition(b":")
        numbers = _numbers(rest.split(None, max(NET_AT) + 1), NET_AT)
        interface = name.strip().decode("ascii", "replace")
        if None not in numbers[: COUNTERS["net"][2]] and interface and ":" not in interface:
            found[interface] = numbers
    return {name: found[name] for name in real(tuple(found))}


def _numbers(row: "list[bytes]", places: "list[int]") -> "list[int | None]":
    return [_number(row[at]) if at < len(row) else None for at in places]


NOT_DISKS = ("dm-", "md", "loop", "zram", "ram", "sr", "fd", "drbd", "bcache", "zd")
# Beginnings of names; `#` is a digit.
NOT_INTERFACES = (
    "antrea", "azv", "bond#", "br#", "br-", "cali", "cbr#", "cilium", "cni", "datapath", "docker", "dummy#", "eni",
    "erspan", "flannel", "genev", "gre#", "gretap", "ifb#", "ip6_vti", "ip6gre", "ip6tnl", "ip_vti", "ipvlan", "kube",
    "lxc", "lxd", "macvlan", "macvtap", "nodelocaldns", "ovs", "podman", "qbr", "qvb", "qvo", "sit#", "tap#", "team#",
    "tun#", "tunl#", "vboxnet", "veth", "virbr", "vlan", "vmnet", "vnet", "vxlan", "weave", "wg#",
)  # fmt: skip


def whole_disks(names: "Collection[str]", sys_root: "str") -> "list[str]":
    """Those that are disks of their own. A network block device (nbd) is a file on another one, if there is any."""
    found = [name for name in names if is_whole_disk(name, names, sys_root)]
    return [name for name in found if name[:3] != "nbd"] or found


def is_whole_disk(name: "str", names: "Collection[str]", sys_root: "str" = "") -> "bool":
    """Whether a line of /proc/diskstats is a whole physical disk: no partition, and not stacked on others.

    Source: /sys/block has whole disks only, /sys/class/block partitions, too. What neither has is judged by its name:
    after a disk's name that ends in a digit a partition is `pN`, else `N`.
    """
    if name.startswith(NOT_DISKS):
        return False
    if _exists(sys_root + "/block/" + name.replace("/", "!")):
        return True
    if _exists(sys_root + "/class/block/" + name.replace("/", "!")):
        return False
    stem = name.rstrip("0123456789")
    is_numbered = stem[-1:] == "p" and stem[-2:-1].isdigit() and stem[:-1] in names
    return stem == name or not (is_numbered or stem in names)


def real_interfaces(names: "Iterable[str]", sys_root: "str") -> "list[str]":
    """Those whose bytes left the machine, each byte once: hardware, without the slaves of counted masters.

    Where none is hardware, as in a container, those that look real by their names.
    """
    ranks = {name: _interface_rank(name, sys_root) for name in names}
    best = max(ranks.values(), default=0)
    counted = [name for name in ranks if best and ranks[name] == best]
    return [name for name in counted if _master(name, sys_root) not in counted]


def is_real_interface(name: "str", sys_root: "str") -> "bool":
    """Whether an interface may be counted: no loopback, bridge, tunnel, VLAN or bond."""
    return _interface_rank(name, sys_root) > 0


def _interface_rank(name: "str", sys_root: "str") -> "int":
    """2 for hardware by /sys or, where /sys does not know it, by its name; 1 for what has a real name only, else 0.

    Source: /sys/class/net/NAME/device is there for what a driver of hardware made; a VLAN of IPoIB has it, too.
    """
    folder = sys_root + "/class/net/"
    base = folder + name
    if _exists(base + "/device"):
        return 0 if "." in name and _exists(folder + name.partition(".")[0]) else 2
    if name == "lo" or "." in name or (name[:3] == "tap" and "-" in name) or _has_prefix(name, NOT_INTERFACES):
        return 0
    if not _exists(base):
        return 2
    return 0 if any(_exists(base + kind) for kind in ("/bridge", "/tun_flags", "/bonding")) else 1


def _has_prefix(name: "str", prefixes: "Iterable[str]") -> "bool":
    for prefix in prefixes:
        stem = prefix.rstrip("#")
        if name.startswith(stem) and (stem == prefix or name[len(stem) : len(stem) + 1].isdigit()):
            return True
    return False


def _master(name: "str", sys_root: "str") -> "str":
    """The interface that this one is a part of, or ''."""
    place = sys_root + "/class/net/" + name + "/master"
    for line in read_file(place + "/uevent", 4096).splitlines():
        if line[:10] == b"INTERFACE=":
            return line[10:].decode("ascii", "replace")
    try:
        return posix.readlink(place).rpartition("/")[2]
    except OSError:
        return ""


def _exists(path: "str") -> "bool":
    try:
        posix.stat(path)
    except (OSError, ValueError):
        return False
    return True


def read_file(path: "str", limit_bytes: "int" = 1 << 20) -> "bytes":
    """A file's bytes, at most `limit_bytes`, or none where it can't be read."""
    try:
        fd = posix.open(path, posix.O_RDONLY | posix.O_CLOEXEC | posix.O_NONBLOCK)
    except (OSError, ValueError):
        return b""
    try:
        return _read_all(fd, limit_bytes)
    finally:
        posix.close(fd)


def _read_all(fd: "int", limit_bytes: "int" = 1 << 20, at: "int" = 0) -> "bytes":
    # The kernel hands seq files out in whole lines, at least three quarters of a page at a time: only a read that
    # is shorter is the end. (One more read would make it print everything again.)
    blocks = []
    try:
        while limit_bytes > 0:
            block = posix.pread(fd, min(65536, limit_bytes), at)
            if not block:
                break
            blocks.append(block)
            at += len(block)
            limit_bytes -= len(block)
            if len(block) < 3072:
                break
    except OSError:
        pass
    return b"".join(blocks)


class Kernel:
    """The counters of this machine, read through files that stay open."""

    def __init__(self, proc: "str" = "/proc", sys_root: "str" = "/sys") -> "None":
        self.proc = proc
        self._fds = {}  # type: dict[str, int]
        self._disks = ((), [])  # type: tuple[tuple[str, ...], list[str]]
        self._interfaces = ((), [])  # type: tuple[tuple[str, ...], list[str]]
        self._sys = sys_root
        self._limits, self._tcp = None, Tcp(self)  # type: Limits | None, Tcp
        page_kb = posix.sysconf("SC_PAGE_SIZE") // 1024
        self._files = (
            ("/stat", (("cpu", parse_stat), ("cpus", parse_cpus), ("tasks", parse_tasks))),
            ("/meminfo", (("mem", parse_meminfo),)),
            ("/diskstats", (("disk", lambda text: parse_diskstats(text, self._whole)),)),
            ("/net/dev", (("net", lambda text: parse_net_dev(text, self._real)),)),
            ("/vmstat", (("vm", lambda text: parse_vmstat(text, page_kb)),)),
        )  # type: tuple[tuple[str, tuple[tuple[str, Callable[[bytes], Any]], ...]], ...]

    def _whole(self, names: "tuple[str, ...]") -> "list[str]":
        if names != self._disks[0]:
            self._disks = names, whole_disks(names, self._sys)
        return self._disks[1]

    def _real(self, names: "tuple[str, ...]") -> "list[str]":
        if names != self._interfaces[0]:
            self._interfaces = names, real_interfaces(names, self._sys)
        return self._interfaces[1]

    def text(self, name: "str") -> "bytes":
        """What a file below /proc has just now, b"" where it can't be read."""
        return self._text(self.proc + name)

    def _text(self, path: "str") -> "bytes":
        fd = self._fds.get(path)
        if fd is None:
            try:
                fd = posix.open(path, posix.O_RDONLY | posix.O_CLOEXEC)
            except OSError:
                fd = -1
            self._fds[path] = fd
        return _read_all(fd) if fd >= 0 else b""

    def counters(self, only: "tuple[str, ...]" = ()) -> "dict[str, Any]":
        """The object `c` of docs/format.md, section 1.3, but for `tcp`, or what of it is in `only` these files.

        A group that can't be read is missing.
        """
        found = {}  # type: dict[str, Any]
        for name, groups in self._files:
            if only and name not in only:
                continue
            text = self.text(name)
            for key, parse in groups if text else ():
                values = parse(text)
                if values and (isinstance(values, dict) or any(value is not None for value in values)):
                    found[key] = values
        if only:
            return found
        pressure = {}
        for kind in ("cpu", "memory", "io"):
            text = self.text("/pressure/" + kind)
            values = parse_pressure(text) if text else ()
            if any(value is not None for value in values):
                pressure[kind] = values
        if pressure:
            found["psi"] = pressure
        if self._limits is None:
            self._limits = Limits(self.proc, self._sys)
        limits = self._limits.counters(self._text)
        if limits:
            found["cgroup"] = limits
        try:
            fs = posix.statvfs("/")
            found["fs"] = [(fs.f_blocks - fs.f_bfree) * fs.f_frsize // 1024, fs.f_bavail * fs.f_frsize // 1024]
        except OSError:
            pass
        return found

    def sampled(self) -> "dict[str, Any]":
        """The object `c` with `tcp`, which is up to ten seconds old where little is sent: for samples of a machine."""
        found = self.counters()
        tcp = self._tcp.counters(sum([sum(numbers) for numbers in found.get("net", {}).values()]))
        if tcp:
            found["tcp"] = tcp
        return found


# --- The limits of our cgroup -----------------------------------------------------------------------


UNLIMITED_BYTES = 1 << 60  # version 1 writes the largest number of whole pages where there is no limit


class Limits:
    """What the limits that stand over this process did: those of its cgroup, or of the nearest one above that has some.

    Source: cgroup v2 (cpu.max, memory.max, memory.high) and v1 (cpu.cfs_quota_us, memory.limit_in_bytes), looked for
    once. `quota` is the folder of the limit of CPU time, or our own where there may be one later, `memory` that of
    memory; '' without one.
    """

    def __init__(self, proc: "str", sys_root: "str") -> "None":
        self.quota = self.memory = ""
        root = sys_root + "/fs/cgroup"
        for line in read_file(proc + "/self/cgroup", 16384).decode("utf-8", "replace").splitlines():
            number, _, rest = line.partition(":")
            names, _, path = rest.partition(":")
            if number == "0" and not names:
                unified = root if _exists(root + "/cgroup.controllers") else root + "/unified"
                self.quota = self.quota or _nearest(unified, path, ("cpu.max",)) or _counting(unified, path)
                self.memory = self.memory or _nearest(unified, path, ("memory.max", "memory.high"))
            elif "cpu" in names.split(","):
                mounted = _mounted(root, "cpu", names)
                self.quota = _nearest(mounted, path, ("cpu.cfs_quota_us",)) or _counting(mounted, path) or self.quota
            elif names == "memory":
                self.memory = _nearest(root + "/memory", path, ("memory.limit_in_bytes",)) or self.memory

    def counters(self, text: "Callable[[str], bytes]") -> "list[int | None]":
        """The group `cgroup`, [] without a limit; `text` reads a file."""
        if not self.quota and not self.memory:
            return []
        stat = text(self.quota + "/cpu.stat") if self.quota else b""
        throttled_ns = _number_after(stat, b"throttled_time ")
        throttled_us = _number_after(stat, b"throttled_usec ") if throttled_ns is None else throttled_ns // 1000
        events = text(self.memory + "/memory.events") if self.memory else b""
        reached, killed = _number_after(events, b"max "), _number_after(events, b"oom_kill ")
        if self.memory and not events:
            reached = _number(text(self.memory + "/memory.failcnt").strip())
            killed = _number_after(text(self.memory + "/memory.oom_control"), b"oom_kill ")
        periods = [_number_after(stat, key) for key in (b"nr_periods ", b"nr_throttled ")]
        return [*periods, throttled_us, _number_after(events, b"high "), reached, killed]


def _mounted(root: "str", controller: "str", names: "str") -> "str":
    """The folder of a controller of version 1, which may be mounted together with others."""
    alone = root + "/" + controller
    return alone if _exists(alone) else root + "/" + names


def _nearest(root: "str", path: "str", files: "tuple[str, ...]") -> "str":
    """The folder of a cgroup, or of the nearest one above it, in which one of the files has a limit; '' without one.

    In a container the path may be the host's, and its end stands at the root.
    """
    path = "" if ".." in path else path.rstrip("/")
    while True:
        if any(_is_limit(read_file(root + path + "/" + file, 100)) for file in files):
            return root + path
        if not path:
            return ""
        path = path.rpartition("/")[0]


def _counting(root: "str", path: "str") -> "str":
    """The folder of a cgroup that counts periods of CPU time, but for the root; '' for another."""
    is_inner = path.strip("/") and ".." not in path
    return root + path if is_inner and b"nr_periods " in read_file(root + path + "/cpu.stat", 4096) else ""


def _is_limit(text: "bytes") -> "bool":
    """Whether a file of a limit has one: a number, but for the largest ones of version 1."""
    number = text.split()[:1]
    return bool(number) and number[0].isdigit() and int(number[0]) < UNLIMITED_BYTES


# --- What TCP counts --------------------------------------------------------------------------------


HELD_S = 10.0  # a read costs as much as all other counters together: the kernel sums up over all CPUs
QUIET_BYTES = 1 << 16


class Tcp:
    """TCP's counters of this machine; those of ten seconds before may be told while its interfaces are quiet."""

    def __init__(self, kernel: "Kernel") -> "None":
        self._kernel, self._due_s, self._held = kernel, 0.0, []  # type: Kernel, float, list[int | None]
        self._moved_bytes = 0

    def counters(self, moved_bytes: "int") -> "list[int | None]":
        """The group `tcp`, [] where nothing is told; `moved_bytes` are those of all interfaces until now."""
        now_s = time.monotonic()
        if now_s >= self._due_s or abs(moved_bytes - self._moved_bytes) >= QUIET_BYTES:
            self._due_s, self._moved_bytes = now_s + HELD_S - 0.5, moved_bytes
            told = {}  # type: dict[bytes, bytes]
            for file in ("/net/snmp", "/net/netstat"):
                told.update(parse_pairs(self._kernel.text(file)))
            self._held = [_number(told.get(key, b"")) for key in TCP_KEYS]
        return self._held if any(number is not None for number in self._held) else []


def parse_pairs(text: "bytes") -> "Iterator[tuple[bytes, bytes]]":
    """Names and numbers of TCP in /proc/net/snmp and /proc/net/netstat: a line of names, then one of numbers."""
    lines = [line.split() for line in text.split(b"\n") if line[:4] == b"Tcp:" or line[:7] == b"TcpExt:"]
    for names, numbers in zip(lines[::2], lines[1::2]):
        if names[0] == numbers[0]:
            yield from zip(names[1:], numbers[1:])


# --- Formulas: the only place where figures come from -----------------------------------------------


USER_HZ = 100  # ticks a second of one CPU in /proc/stat, on every architecture that has not died out
WRAP = 1 << 32  # of the kernel's counters of milliseconds, those of `disk` in ms


class Delta:
    """Differences between two sets of counters; a number that is absent, fell or can't be gives None."""

    def __init__(
        self, start: "dict[str, Any]", end: "dict[str, Any]", seconds: "float", peak_kb: "int | None" = None,
        load: "list[float] | None" = None,
    ) -> "None":  # fmt: skip
        self.start, self.end, self.seconds, self.peak_kb, self.load = start, end, seconds, peak_kb, load
        self.cpu, self.busy, self.total = cpu_ticks(start, end, seconds)
        self.idle = None if self.total is None or self.busy is None else self.total - self.busy

    def of(self, group: "str", at: "int") -> "int | None":
        """Growth of number `at` of a flat group."""
        return _grown(_at(self.start.get(group), at), _at(self.end.get(group), at))

    def each(self, group: "str", at: "int") -> "list[int] | None":
        """Growth of number `at` for each device that both ends have; None if any of them fell."""
        before, after = self.start.get(group) or {}, self.end.get(group) or {}
        names = [name for name in after if name in before and not _moved(before, after, nvme_head(name))]
        if group == "disk" and at in DISK_MS:
            grown = [_grown_ms(before[name], after[name], at) for name in names]
        else:
            grown = [_grown(_at(before[name], at), _at(after[name], at)) for name in names]
        known = [value for value in grown if value is not None]
        return known if known and len(known) == len(grown) else None

    def sum(self, group: "str", *at: "int") -> "int | None":
        """Growth of the numbers `at` over all devices."""
        parts = [self.each(group, number) for number in at]
        return None if None in parts else sum(sum(part) for part in parts if part is not None)

    def psi_us(self, kind: "str", at: "int") -> "int | None":
        """Microseconds stalled."""
        before, after = self.start.get("psi") or {}, self.end.get("psi") or {}
        return _grown(_at(before.get(kind), at), _at(after.get(kind), at))

    def percent_of_time(self, part_ms: "float | None") -> "float | None":
        """Share of the time between; None for far more than all of it: no counter of this time."""
        if part_ms is None or part_ms > self.seconds * 1100 + 20:
            return None
        share = _ratio(part_ms, self.seconds * 1000, 100)
        return None if share is None else min(share, 100.0)

    def stalled_percent(self, kind: "str", at: "int") -> "float | None":
        """Share of the time in which work stalled."""
        stalled_us = self.psi_us(kind, at)
        return None if stalled_us is None else self.percent_of_time(stalled_us / 1000)


def cpu_ticks(
    start: "dict[str, Any]", end: "dict[str, Any]", seconds: "float"
) -> "tuple[list[int | None], float | None, float | None]":
    """`[user, …, steal]` between two sets of counters, all that was busy, and the total.

    Kernels and containers let single numbers fall, jump or stand still. What more ticks than CPUs and time allow is
    left out. The sum is then wrong without it, or where idle stands still: CPUs x time is the total.
    """
    ticks = [_grown(_at(start.get("cpu"), at), _at(end.get("cpu"), at)) for at in range(8)]
    cpus = max([_at(counters.get("cpus"), 0) or 0 for counters in (start, end)])
    whole = cpus * max(seconds, 0.0) * USER_HZ
    most = whole * 1.1 + cpus * 10
    # Neither user, system nor idle jump together: then the counters are not of these CPUs, or not of this time.
    if sum([(ticks[at] or 0) > most for at in (0, 2, 3)]) > 1:
        whole = 0.0
    rest = sum([ticks[at] or 0 for at in (0, 1, 2, 3, 5, 6)])
    limits = [most if whole else float("inf")] * 8
    if not whole:
        limits[4] = limits[7] = max(rest, 1) * 1000.0
    ticks = [part if part is not None and part <= limit else None for part, limit in zip(ticks, limits)]
    user, nice, system, idle, iowait, irq, softirq, steal = ticks
    waited = None if idle is None or (iowait is None and not whole) else idle + (iowait or 0)
    if user is None or nice is None or system is None:
        busy = None  # type: float | None
    else:
        busy = user + nice + system + (irq or 0) + (softirq or 0) + (steal or 0)
    total = None if busy is None or waited is None else busy + waited  # type: float | None
    if seconds >= 0.5 and whole and (total is None or (total < whole * 0.75 and (waited == 0 or None in ticks))):
        total = max(whole, busy or 0, waited or 0)
        busy = busy if busy is not None else None if waited is None else total - waited
    return ticks, busy if total is not None else None, total


def nvme_head(name: "str") -> "str":
    """The disk `nvme0n1` of the path `nvme0c1n1`, '' for what is no path. Some kernels count at one, some at both."""
    controller, path, rest = name.partition("c")
    return controller + "n" + rest.partition("n")[2] if path and name.startswith("nvme") else ""


def _moved(before: "dict[str, Any]", after: "dict[str, Any]", name: "str") -> "bool":
    return name in before and name in after and before[name] != after[name]


def used_kb(counters: "dict[str, Any]") -> "int | None":
    """MemTotal - MemAvailable, or what stands for it; None where more is available than there is, as in containers."""
    memory = counters.get("mem")
    available = _at(memory, 1)
    used = _change(_at(memory, 2) if available is None else available, _at(memory, 0))
    return None if used is None or used < 0 else used


def _change(before: "int | None", after: "int | None") -> "int | None":
    return None if before is None or after is None else after - before


def _less(whole: "int | None", part: "int | None") -> "int | None":
    """What is left of a whole, None where it is not known; a part that is not known is none of it."""
    return None if whole is None else max(whole - (part or 0), 0)


def _at(values: "Any", at: "int") -> "int | None":
    return values[at] if values is not None and at < len(values) else None


def _grown(before: "int | None", after: "int | None") -> "int | None":
    return None if before is None or after is None or after < before else after - before


def _grown_ms(before: "list[int]", after: "list[int]", at: "int") -> "int | None":
    """Growth of a time of a disk, also over the end of its 32 bits; None if the disk's counts fell: it began anew."""
    grown = _grown(_at(before, at), _at(after, at))
    if grown is not None:
        return grown
    old, new = _at(before, at), _at(after, at)
    counts = [_grown(_at(before, number), _at(after, number)) for number in (0, 1, 3, 4)]
    if old is None or new is None or None in counts or not new < old < WRAP or new + WRAP - old > WRAP // 2:
        return None
    return new + WRAP - old


def _ratio(part: "float | None", whole: "float | None", scale: "float" = 1.0) -> "float | None":
    return None if part is None or whole is None or whole <= 0 else scale * part / whole


def metrics(
    start: "dict[str, Any]", end: "dict[str, Any]", seconds: "float", peak_kb: "int | None" = None,
    load: "list[float] | None" = None,
) -> "dict[str, float | int]":  # fmt: skip
    """The figures of a step between two sets of counters (docs/format.md, 1.3), those that can be had.

    Args:
        start: `c` at the beginning.
        end: `c` at the end.
        seconds: the time between them by the monotonic clock.
        peak_kb: the largest MemTotal - MemAvailable seen between them.
        load: what `Load.figures` gives of the samples between them.
    """
    delta = Delta(start, end, seconds, peak_kb, load)
    figures = {}  # type: dict[str, float | int]
    for metric in METRICS:
        value = metric.formula(delta)
        if value is not None:
            figures[metric.name] = round(value, metric.decimals) if metric.decimals else int(value)
    return figures


class Load:
    """How many tasks ran, and how many waited for disks, at samples: mean over time and peak of each.

    A sample stands for the time since the one before; the task that read it is not counted.
    """

    def __init__(self, m_ns: "int") -> "None":
        self._last_ns, self._ns, self._sums, self._peaks = m_ns, 0, [0, 0], [0, 0]

    def add(self, m_ns: "int", counters: "dict[str, Any]") -> "None":
        """Takes a sample in; one that does not tell of tasks counts for nothing."""
        running, blocked = [_at(counters.get("tasks"), at) for at in (0, 1)]
        length_ns, self._last_ns = m_ns - self._last_ns, m_ns
        if running is None or blocked is None or length_ns <= 0:
            return
        seen = [max(running - 1, 0), blocked]
        self._ns += length_ns
        self._sums = [total + number * length_ns for total, number in zip(self._sums, seen)]
        self._peaks = [max(pair) for pair in zip(self._peaks, seen)]

    def figures(self) -> "list[float] | None":
        """`[mean of the running, peak, mean of the blocked, peak]`, None without a sample."""
        if not self._ns:
            return None
        running, blocked = [round(total / self._ns, 2) for total in self._sums]
        return [running, self._peaks[0], blocked, self._peaks[1]]


SERIES = (
    "m_ms", "cpu_busy", "cpu_total", "cpu_iowait", "cpu_steal", "memory_used_kb", "disk_read_sectors",
    "disk_write_sectors", "net_rx_bytes", "net_tx_bytes", "psi_cpu_us", "psi_memory_us", "psi_io_us",
)  # fmt: skip


class Series:
    """The points of a step: numbers that grow by what `Delta` finds between each sample and the one before it."""

    def __init__(self, m_ns: "int", counters: "dict[str, Any]") -> "None":
        self._sums = [0] * (len(SERIES) - 1)
        self._last = m_ns, counters
        self._row = [None] * len(self._sums)  # type: list[int | None]
        self.points = [self.point(m_ns, counters)]

    def point(self, m_ns: "int", counters: "dict[str, Any]") -> "list[int | None]":
        """The numbers of one sample, in the order of `SERIES`; one of which the growth is not known is None."""
        grown = growth(self._last[1], counters, (m_ns - self._last[0]) / 1e9)
        self._last = m_ns, counters
        self._sums = [total + int(part or 0) for total, part in zip(self._sums, grown)]
        # Of what was not there before nothing is lost: it counts from here.
        here = growth(counters, counters, 0.0) if None in grown else grown
        self._row = [
            total if part is not None or (before is None and now is not None) else None
            for total, part, before, now in zip(self._sums, grown, self._row, here)
        ]
        self._row[MEMORY_AT] = used_kb(counters)
        return [m_ns // 1000000, *self._row]


def growth(start: "dict[str, Any]", end: "dict[str, Any]", seconds: "float") -> "list[float | None]":
    """What the numbers of `SERIES` grew by; but for the time, and for memory, which does not only grow."""
    delta = Delta(start, end, seconds)
    return [
        delta.busy, delta.total, delta.cpu[4], delta.cpu[7], 0,
        delta.sum("disk", 1), delta.sum("disk", 4), delta.sum("net", 0), delta.sum("net", 1),
        delta.psi_us("cpu", 0), delta.psi_us("memory", 0), delta.psi_us("io", 0),
    ]  # fmt: skip


MEMORY_AT = SERIES.index("memory_used_kb") - 1


def pack_columns(names: "Iterable[str]", rows: "list[list[int | None]]") -> "dict[str, list[int | None]]":
    """Columns of rows, difference-coded (docs/format.md, 1.3); a column of nothing but None is left out."""
    packed = {}
    for at, name in enumerate(names):
        column = []  # type: list[int | None]
        last = 0
        for row in rows:
            value = row[at]
            column.append(None if value is None else value - last)
            last = last if value is None else value
        if any(value is not None for value in column):
            packed[name] = column
    return packed


def constant_apart(
    packed: "dict[str, list[int | None]]",
) -> "tuple[dict[str, list[int | None]], dict[str, int]]":
    """The columns whose numbers change, with the time; and of each other one the number that stands in all rows."""
    same = {}
    for name, column in packed.items():
        first = column[0]
        if name != "m_ms" and first is not None and None not in column and not any(column[1:]):
            same[name] = first
    return {name: column for name, column in packed.items() if name not in same}, same


def unpack_columns(packed: "dict[str, list[int | None]]") -> "dict[str, list[int | None]]":
    """Columns of plain numbers: what `pack_columns` was given."""
    columns = {}
    for name, column in packed.items():
        last, values = 0, []  # type: int, list[int | None]
        for difference in column:
            last += difference or 0
            values.append(None if difference is None else last)
        columns[name] = values
    return columns


def flatten(counters: "dict[str, Any]", prefix: "str" = "") -> "Iterator[tuple[str, int | None]]":
    """Each number of `c` with its column's name: `cpu.0`, `disk.vda.3`."""
    for key, value in counters.items():
        if isinstance(value, dict):
            yield from flatten(value, prefix + key + ".")
        else:
            for at, number in enumerate(value):
                yield "%s%s.%d" % (prefix, key, at), number


def unflatten(pairs: "Iterable[tuple[str, int | None]]") -> "dict[str, Any]":
    """The counters that `flatten` was given."""
    counters = {}  # type: dict[str, Any]
    for name, number in pairs:
        group, _, rest = name.partition(".")
        device, _, _at_text = rest.rpartition(".")
        home = counters.setdefault(group, {}) if device else counters
        home.setdefault(device or group, []).append(number)
    return counters


# --- What is counted, and which figures are made of it -------------------------------------------------


# The groups of `c`: what it has a list for ("" for one of the whole machine), its source, how many numbers every agent
# of protocol 1 gives, and its numbers in order, new ones last: name, unit, counter or gauge (which may fall), where it
# stands in the source, and the Linux that has it.
COUNTERS = {
    "cpu": ("", "/proc/stat", 8, (
        ("user", "ticks", "counter", 1, ""), ("nice", "ticks", "counter", 2, ""), ("system", "ticks", "counter", 3, ""),
        ("idle", "ticks", "counter", 4, ""), ("iowait", "ticks", "counter", 5, "2.6"),
        ("irq", "ticks", "counter", 6, "2.6"), ("softirq", "ticks", "counter", 7, "2.6"),
        ("steal", "ticks", "counter", 8, "2.6.11"),
    )),
    "cpus": ("", "/proc/stat", 1, (("online", "CPUs", "gauge", "cpuN", ""),)),
    "tasks": ("", "/proc/stat", 4, (
        ("running", "", "gauge", "procs_running", "2.6"), ("blocked", "", "gauge", "procs_blocked", "2.6"),
        ("switches", "", "counter", "ctxt", ""), ("forks", "", "counter", "processes", ""),
    )),
    "mem": ("", "/proc/meminfo", 2, (
        ("total_kb", "kB", "gauge", "MemTotal", ""), ("available_kb", "kB", "gauge", "MemAvailable", "3.14"),
        ("free_buffers_cached_kb", "kB", "gauge", "MemFree + Buffers + Cached", ""),
    )),
    "disk": ("device", "/proc/diskstats", 8, (
        ("reads", "", "counter", 3, ""), ("read_sectors", "512 bytes", "counter", 5, ""),
        ("read_ms", "ms", "counter", 6, ""), ("writes", "", "counter", 7, ""),
        ("written_sectors", "512 bytes", "counter", 9, ""), ("write_ms", "ms", "counter", 10, ""),
        ("io_ms", "ms", "counter", 12, ""), ("weighted_io_ms", "ms", "counter", 13, ""),
        ("flushes", "", "counter", 18, "5.5"), ("flush_ms", "ms", "counter", 19, "5.5"),
    )),
    "net": ("device", "/proc/net/dev", 2, (
        ("rx_bytes", "bytes", "counter", 0, ""), ("tx_bytes", "bytes", "counter", 8, ""),
    )),
    "psi": ("resource", "/proc/pressure/*", 2, (
        ("some_us", "us", "counter", "some", "4.20"), ("full_us", "us", "counter", "full", "4.20"),
    )),
    "vm": ("", "/proc/vmstat", 4, (
        ("swap_in_kb", "kB", "counter", "pswpin", ""), ("swap_out_kb", "kB", "counter", "pswpout", ""),
        ("pgmajfault", "", "counter", "pgmajfault", ""), ("oom_kill", "", "counter", "oom_kill", "4.13"),
        ("allocstall", "", "counter", "allocstall", ""),
        ("direct_scan_kb", "kB", "counter", "pgscan_direct", ""),
        ("refault_file_kb", "kB", "counter", "workingset_refault_file", "3.15"),
        ("refault_anon_kb", "kB", "counter", "workingset_refault_anon", "5.9"),
        ("dirty_kb", "kB", "gauge", "nr_dirty", ""),
    )),
    "cgroup": ("", "cpu.stat, memory.events", 6, (
        ("periods", "", "counter", "nr_periods", ""), ("throttled_periods", "", "counter", "nr_throttled", ""),
        ("throttled_us", "us", "counter", "throttled_usec", ""), ("memory_high", "", "counter", "high", ""),
        ("memory_max", "", "counter", "max", ""), ("oom_kill", "", "counter", "oom_kill", "4.13"),
    )),
    "tcp": ("", "/proc/net/snmp, /proc/net/netstat", 7, (
        ("in_segments", "", "counter", "InSegs", ""), ("out_segments", "", "counter", "OutSegs", ""),
        ("retransmitted", "", "counter", "RetransSegs", ""), ("resets", "", "counter", "EstabResets", ""),
        ("timeouts", "", "counter", "TCPTimeouts", ""),
        ("syn_retransmitted", "", "counter", "TCPSynRetrans", "3.15"),
        ("out_of_order", "", "counter", "TCPOFOQueue", "3.4"),
    )),
    "fs": ("", "statvfs", 2, (("used_kb", "kB", "gauge", "", ""), ("free_kb", "kB", "gauge", "", ""))),
}  # type: dict[str, tuple[str, str, int, tuple[tuple[str, str, str, int | str, str], ...]]]  # fmt: skip
# What other kernels than the newest call a counter of /proc/vmstat: names whose sum it is, and which Linux has them.
# Source: include/linux/vm_event_item.h and mm/vmstat.c. (`pgscan_direct_throttle` counts no pages.)
OTHER_NAMES = {
    "allocstall": (("allocstall_dma allocstall_dma32 allocstall_normal allocstall_high allocstall_movable "
                    "allocstall_device", "since 4.8"),),
    "pgscan_direct": (("pgscan_direct_dma pgscan_direct_dma32 pgscan_direct_normal pgscan_direct_high "
                       "pgscan_direct_movable", "until 4.7"),),
    "workingset_refault_file": (("workingset_refault", "3.15 to 5.8: of files only"),),
}  # type: dict[str, tuple[tuple[str, str], ...]]  # fmt: skip
DISK_AT = [int(field[3]) for field in COUNTERS["disk"][3]]
DISK_MS = tuple([at for at, field in enumerate(COUNTERS["disk"][3]) if field[1] == "ms"])
NET_AT = [int(field[3]) for field in COUNTERS["net"][3]]
VM_NAMES = [
    " ".join([str(field[3]), *[names for names, _ in OTHER_NAMES.get(str(field[3]), ())]]).split()
    for field in COUNTERS["vm"][3]
]
VM_KEYS = [
    ([b"%s " % name.encode() for name in names], field[1] == "kB")  # kB: it is in pages
    for names, field in zip(VM_NAMES, COUNTERS["vm"][3])
]
TCP_KEYS = [str(field[3]).encode() for field in COUNTERS["tcp"][3]]
TASKS_KEYS = [b"%s " % str(field[3]).encode() for field in COUNTERS["tasks"][3]]


class Metric:
    """One figure of a step: the registry's row. `formula` gives None where the figure can't be had."""

    __slots__ = ("decimals", "formula", "name", "source", "unit")

    def __init__(
        self, name: "str", unit: "str", decimals: "int", source: "str", formula: "Callable[[Delta], float | None]"
    ) -> "None":
        self.name, self.unit, self.decimals, self.source, self.formula = name, unit, decimals, source, formula


METRICS = (
    Metric("duration_s", "s", 3, "CLOCK_BOOTTIME", lambda d: d.seconds),
    Metric("cpu_percent", "%", 1, "/proc/stat", lambda d: _ratio(d.busy, d.total, 100)),
    Metric("cpu_user_percent", "%", 1, "/proc/stat",
           lambda d: None if d.cpu[0] is None or d.cpu[1] is None else _ratio(d.cpu[0] + d.cpu[1], d.total, 100)),
    Metric("cpu_system_percent", "%", 1, "/proc/stat", lambda d: _ratio(d.cpu[2], d.total, 100)),
    Metric("cpu_iowait_percent", "%", 1, "/proc/stat", lambda d: _ratio(d.cpu[4], d.total, 100)),
    Metric("cpu_steal_percent", "%", 1, "/proc/stat", lambda d: _ratio(d.cpu[7], d.total, 100)),
    Metric("memory_used_mb", "MB", 1, "/proc/meminfo", lambda d: _ratio(used_kb(d.end), 1024)),
    Metric("memory_delta_mb", "MB", 1, "/proc/meminfo",
           lambda d: _ratio(_change(used_kb(d.start), used_kb(d.end)), 1024)),
    Metric("memory_peak_mb", "MB", 1, "/proc/meminfo", lambda d: _ratio(d.peak_kb, 1024)),
    Metric("disk_read_mb", "MB", 2, "/proc/diskstats", lambda d: _ratio(d.sum("disk", 1), 2048)),
    Metric("disk_write_mb", "MB", 2, "/proc/diskstats", lambda d: _ratio(d.sum("disk", 4), 2048)),
    Metric("disk_read_ops", "", 0, "/proc/diskstats", lambda d: d.sum("disk", 0)),
    Metric("disk_write_ops", "", 0, "/proc/diskstats", lambda d: d.sum("disk", 3)),
    Metric("disk_read_rate_mbs", "MB/s", 2, "/proc/diskstats", lambda d: _ratio(d.sum("disk", 1), d.seconds * 2048)),
    Metric("disk_write_rate_mbs", "MB/s", 2, "/proc/diskstats", lambda d: _ratio(d.sum("disk", 4), d.seconds * 2048)),
    Metric("disk_util_percent", "%", 1, "/proc/diskstats",
           lambda d: d.percent_of_time(max(d.each("disk", 6) or [], default=None))),
    Metric("await_ms", "ms", 2, "/proc/diskstats", lambda d: _ratio(d.sum("disk", 2, 5), d.sum("disk", 0, 3))),
    Metric("queue_depth", "", 2, "/proc/diskstats", lambda d: _ratio(d.sum("disk", 7), d.seconds * 1000)),
    Metric("disk_flushes", "", 0, "/proc/diskstats", lambda d: d.sum("disk", 8)),
    Metric("disk_flush_ms", "ms", 0, "/proc/diskstats", lambda d: d.sum("disk", 9)),
    Metric("net_rx_mb", "MB", 2, "/proc/net/dev", lambda d: _ratio(d.sum("net", 0), MB)),
    Metric("net_tx_mb", "MB", 2, "/proc/net/dev", lambda d: _ratio(d.sum("net", 1), MB)),
    Metric("net_rx_rate_mbs", "MB/s", 2, "/proc/net/dev", lambda d: _ratio(d.sum("net", 0), d.seconds * MB)),
    Metric("net_tx_rate_mbs", "MB/s", 2, "/proc/net/dev", lambda d: _ratio(d.sum("net", 1), d.seconds * MB)),
    Metric("tcp_retransmitted_percent", "%", 2, "/proc/net/snmp, /proc/net/netstat",
           lambda d: _ratio(_less(d.of("tcp", 2), d.of("tcp", 5)), d.of("tcp", 1), 100)),
    Metric("tcp_out_of_order_percent", "%", 2, "/proc/net/snmp, /proc/net/netstat",
           lambda d: _ratio(d.of("tcp", 6), d.of("tcp", 0), 100)),
    Metric("tcp_timeouts", "", 0, "/proc/net/snmp, /proc/net/netstat", lambda d: d.of("tcp", 4)),
    Metric("tcp_syn_retransmitted", "", 0, "/proc/net/snmp, /proc/net/netstat", lambda d: d.of("tcp", 5)),
    Metric("tcp_resets", "", 0, "/proc/net/snmp, /proc/net/netstat", lambda d: d.of("tcp", 3)),
    Metric("cgroup_throttled_percent", "%", 1, "cpu.stat, memory.events",
           lambda d: _ratio(d.of("cgroup", 1), d.of("cgroup", 0), 100)),
    Metric("cgroup_throttled_ms", "ms", 0, "cpu.stat, memory.events", lambda d: _ratio(d.of("cgroup", 2), 1000)),
    Metric("cgroup_memory_high", "", 0, "cpu.stat, memory.events", lambda d: d.of("cgroup", 3)),
    Metric("cgroup_memory_max", "", 0, "cpu.stat, memory.events", lambda d: d.of("cgroup", 4)),
    Metric("cgroup_oom_kills", "", 0, "cpu.stat, memory.events", lambda d: d.of("cgroup", 5)),
    Metric("psi_cpu_some_percent", "%", 1, "/proc/pressure/cpu", lambda d: d.stalled_percent("cpu", 0)),
    Metric("psi_memory_some_percent", "%", 1, "/proc/pressure/memory", lambda d: d.stalled_percent("memory", 0)),
    Metric("psi_memory_full_percent", "%", 1, "/proc/pressure/memory", lambda d: d.stalled_percent("memory", 1)),
    Metric("psi_io_some_percent", "%", 1, "/proc/pressure/io", lambda d: d.stalled_percent("io", 0)),
    Metric("psi_io_full_percent", "%", 1, "/proc/pressure/io", lambda d: d.stalled_percent("io", 1)),
    Metric("swap_in_mb", "MB", 2, "/proc/vmstat", lambda d: _ratio(d.of("vm", 0), 1024)),
    Metric("swap_out_mb", "MB", 2, "/proc/vmstat", lambda d: _ratio(d.of("vm", 1), 1024)),
    Metric("major_faults", "", 0, "/proc/vmstat", lambda d: d.of("vm", 2)),
    Metric("oom_kills", "", 0, "/proc/vmstat", lambda d: d.of("vm", 3)),
    Metric("direct_reclaims", "", 0, "/proc/vmstat", lambda d: d.of("vm", 4)),
    Metric("direct_scan_mb", "MB", 2, "/proc/vmstat", lambda d: _ratio(d.of("vm", 5), 1024)),
    Metric("refault_file_mb", "MB", 2, "/proc/vmstat", lambda d: _ratio(d.of("vm", 6), 1024)),
    Metric("refault_anon_mb", "MB", 2, "/proc/vmstat", lambda d: _ratio(d.of("vm", 7), 1024)),
    Metric("dirty_mb", "MB", 1, "/proc/vmstat", lambda d: _ratio(_at(d.end.get("vm"), 8), 1024)),
    Metric("tasks_running_mean", "", 2, "/proc/stat", lambda d: d.load[0] if d.load else None),
    Metric("tasks_running_peak", "", 0, "/proc/stat", lambda d: d.load[1] if d.load else None),
    Metric("tasks_blocked_mean", "", 2, "/proc/stat", lambda d: d.load[2] if d.load else None),
    Metric("tasks_blocked_peak", "", 0, "/proc/stat", lambda d: d.load[3] if d.load else None),
    Metric("context_switches_per_s", "1/s", 1, "/proc/stat", lambda d: _ratio(d.of("tasks", 2), d.seconds)),
    Metric("forks_per_s", "1/s", 1, "/proc/stat", lambda d: _ratio(d.of("tasks", 3), d.seconds)),
    Metric("disk_used_delta_mb", "MB", 1, "statvfs",
           lambda d: _ratio(_change(_at(d.start.get("fs"), 0), _at(d.end.get("fs"), 0)), 1024)),
)  # fmt: skip


# --- Records ----------------------------------------------------------------------------------------


def boottime_ns() -> "int":
    """CLOCK_BOOTTIME (its number is 7; the name came with Python 3.7), else CLOCK_MONOTONIC, ns."""
    for clock in (7, time.CLOCK_MONOTONIC):
        try:
            return int(time.clock_gettime_ns(clock)) if hasattr(time, "clock_gettime_ns") else int(
                time.clock_gettime(clock) * 1e9
            )
        except OSError:
            continue
    return int(time.monotonic() * 1e9)


def dumps(value: "Any") -> "str":
    """JSON of None, bool, int, finite float, str, list, tuple and dict, in ASCII and without blanks."""
    if value is None:
        return "null"
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, dict):
        return "{" + ",".join([_quoted(key) + ":" + dumps(value[key]) for key in value]) + "}"
    return "[" + ",".join(map(str if set(map(type, value)) == {int} else dumps, value)) + "]"


def _quoted(text: "str", known: "dict[str, str]" = {}) -> "str":  # noqa: B006  (keys of records come again and again)
    found = known.get(text)
    if found is None:
        found = '"' + "".join(map(_escape, text)) + '"' if _needs_escape(text) else '"' + text + '"'
        if len(known) < 500:
            known[text] = found
    return found


def _with(one: "str", other: "str") -> "str":
    """Two objects of JSON as one."""
    return one[:-1] + "," + other[1:] if len(other) > 2 else one


def _needs_escape(text: "str") -> "bool":
    return not text.isprintable() or '"' in text or "\\" in text or max(text, default="") > "~"


def _escape(char: "str") -> "str":
    code = ord(char)
    if 32 <= code < 127:
        return "\\" + char if char in '"\\' else char
    if code > 0xFFFF:
        code -= 0x10000
        return "\\u%04x\\u%04x" % (0xD800 + (code >> 10), 0xDC00 + (code & 0x3FF))
    return "\\u%04x" % code


def clean_name(raw: "str") -> "str":
    """A name as users may give it: valid Unicode, printable, at most 120 characters."""
    text = raw.encode(sys.getfilesystemencoding(), "surrogateescape").decode("utf-8", "replace")
    return "".join([char if char.isprintable() else " " for char in text])[:120].strip()


def split_fields(fields: "dict[str, Any]", room: "int") -> "list[dict[str, Any]]":
    """The fields in as many parts as it takes for the JSON of each to fit into `room` bytes."""
    parts, size = [{}], 0  # type: list[dict[str, Any]], int
    for path, value in _leaves(fields, (), room // 4):
        cost = len(dumps(value)) + sum(len(key) + 6 for key in path)
        if size and size + cost > room:
            parts.append({})
            size = 0
        home = parts[-1]
        for key in path[:-1]:
            home = home.setdefault(key, {})
        home[path[-1]] = value
        size += cost
    return parts


def _leaves(fields: "dict[str, Any]", path: "tuple[str, ...]", whole_bytes: "int") -> "Iterator[Any]":
    for key, value in fields.items():
        if isinstance(value, dict) and value and len(dumps(value)) > whole_bytes:
            yield from _leaves(value, (*path, key), whole_bytes)
        else:
            yield (*path, key), value


class Recorder:
    """Numbers and writes the records of this process.

    Where `quiet` has the word `records`, those that the spool has do not go to the build's output, but for `hello`,
    `bye`, and start and end of a step that failed or may have. From the first that the spool does not take on, all do.
    """

    def __init__(
        self, out: "int", run: "str", proc: "str" = "/proc", spool: "Spool | None" = None, key: "bytes" = b"",
        quiet: "Collection[str]" = (),
    ) -> "None":  # fmt: skip
        self.out, self.run, self.spool, self.key = out, run, spool, key
        self.sid = "".join(["%02x" % byte for byte in posix.urandom(6)])
        self.boot = read_file(proc + "/sys/kernel/random/boot_id").decode("ascii", "replace").strip()
        self.sequence = self.bytes = 0
        self.mid_line = False
        self.has_block = "block" not in quiet
        self.is_quiet = spool is not None and "records" in quiet
        self.held = []  # type: list[bytes]
        self._spool_fd = -1

    def emit(
        self, event: "str", fields: "dict[str, Any]", shared: "dict[str, Any] | None" = None,
        may_wait: "bool" = True, last: "bool" = False, own_line: "bool" = False,
    ) -> "None":  # fmt: skip
        """Writes an event as one record, or as parts of one; `shared` fields stand in each part.

        Without `may_wait` an event that nobody is ready to read is dropped before it is numbered.
        Only what is known to begin on its `own_line` goes without a newline before it, and not even that `mid_line`.
        """
        if not (may_wait or self.is_quiet or _writable(self.out, 0)):
            return
        is_quiet = self.is_quiet and event not in ("hello", "bye") and (event != "end" or fields.get("exit") == 0)
        if self.is_quiet and event == "hello":
            fields = dict(fields, records="spool")
        now, monotonic = int(time.time() * 1e9), boottime_ns()
        room = RECORD_BYTES - (460 if self.key else 420) - len(dumps(shared or {}))
        whole = dumps(fields)
        parts = split_fields(fields, room) if len(whole) > room else [fields]
        for number, part in enumerate(parts, 1):
            self.sequence += 1
            record = {"v": PROTOCOL, "ev": event, "sid": self.sid, "seq": self.sequence}  # type: dict[str, Any]
            if self.boot:
                record["boot"] = self.boot
            if self.run:
                record["run"] = self.run
            record.update(t=now, m=monotonic)
            if len(parts) > 1:
                record.update(part=number, of=len(parts))
            record.update(shared or {})
            text = _with(dumps(record), dumps(part) if len(parts) > 1 else whole)
            text = _with(text, '{"last":true}') if last and number == len(parts) else text
            line = b"BUILDTEL:" + with_crc(with_mac(text.encode("ascii"), self.key)) + b"\n"
            self._write(line, own_line or number > 1, is_quiet)
            if is_quiet and self.is_quiet and event == "start":
                self.held.append(line)

    def close(self) -> "None":
        """Writes no more copies."""
        if self._spool_fd >= 0:
            posix.close(self._spool_fd)

    def write_record(self, line: "bytes") -> "None":
        """Writes a record that is made already."""
        self._write(line, True)

    def say(self, data: "bytes") -> "int":
        """Writes at most 4,096 bytes to the build's output; gives the number of those that it took."""
        return write(self.out, data)

    def _write(self, line: "bytes", own_line: "bool", is_quiet: "bool" = False) -> "None":
        if not is_quiet:
            self._say_all(line, own_line)
        if not self._keep(line) and self.is_quiet:
            self.is_quiet = False
            if is_quiet:
                self._say_all(line, own_line)

    def _say_all(self, line: "bytes", own_line: "bool") -> "None":
        """Writes a record to the build's output, and before it what was held back."""
        own_line, self.mid_line = own_line and not self.mid_line, False
        lines, self.held = [*self.held, line], []
        for text in lines:
            self.bytes += self.say(text if own_line else b"\n" + text)
            own_line = True

    def _keep(self, line: "bytes") -> "bool":
        """Whether the spool has a copy; a file that somebody removed has none."""
        if self.spool is None:
            return False
        if self._spool_fd < 0:
            self._spool_fd = self.spool.create(self.sid + ".jsonl")
        if self._spool_fd < 0 or write(self._spool_fd, line) < len(line):
            return False
        return not self.is_quiet or posix.fstat(self._spool_fd).st_nlink > 0


def with_crc(body: "bytes") -> "bytes":
    """A record's JSON with its last key, `crc`."""
    return b'%s,"crc":"%08x"}' % (body[:-1], crc32(body[:-1]) & 0xFFFFFFFF)


def with_mac(body: "bytes", key: "bytes") -> "bytes":
    """A record's JSON with `mac`, which says that its writer had the key; as it is where there is no key."""
    return b'%s,"mac":"%s"}' % (body[:-1], hmac_sha256(key, body[:-1])[:16].hex().encode()) if key else body


def hmac_sha256(key: "bytes", text: "bytes") -> "bytes":
    """Source: RFC 2104. The bare module of the interpreter costs a fraction of what hashlib and hmac do."""
    sha256 = _sha256_module().sha256
    key = (sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")
    inner = sha256(bytes([byte ^ 0x36 for byte in key]) + text).digest()
    return bytes(sha256(bytes([byte ^ 0x5C for byte in key]) + inner).digest())


def _sha256_module() -> "Any":
    for name in ("_sha2", "_sha256", "hashlib"):  # since Python 3.12, until 3.11, and where neither is built
        try:
            return __import__(name)
        except ImportError:
            continue
    raise ImportError("no SHA-256 in this Python")


def _writable(fd: "int", wait_ms: "int") -> "bool":
    poll = select.poll()
    try:
        poll.register(max(fd, 0), select.POLLOUT)
        return fd >= 0 and any(flags & select.POLLOUT for _, flags in poll.poll(wait_ms))
    except OSError:
        return False


def write(fd: "int", data: "bytes") -> "int":
    """Gives the bytes that one call of the kernel took, 0 where nobody reads; it ends us if that takes 20 s."""
    try:
        _signal.alarm(20)
        return posix.write(fd, data)
    except OSError:
        return 0
    finally:
        _signal.alarm(0)


# --- What a person reads ----------------------------------------------------------------------------


def iso_time() -> "str":
    """The local time as `date -Iseconds` prints it."""
    text = time.strftime("%Y-%m-%dT%H:%M:%S%z")
    return text[:-2] + ":" + text[-2:]


def start_block(name: "str", when: "str" = "") -> "str":
    """The rule that begins a step in the log; `when` is now if it is not given."""
    return "%s\n\u23f1\ufe0f  [%s] START: %s\n%s\n" % ("\u2550" * 71, name, when or iso_time(), "\u2500" * 71)


def end_block(
    name: "str", figures: "dict[str, Any]", further: "Iterable[tuple[str, str]]", when: "str" = ""
) -> "str":
    """The END line, the eight lines of figures, and `further` lines; what is not known is `n/a`."""
    lines = (
        ("Duration", "%s", "duration_s s"), ("CPU", "%s avg", "cpu_percent %"),
        ("Memory", "%s used (delta %s)", "memory_used_mb MB", "memory_delta_mb MB"),
        ("Disk Read", "%s (%s, %s)", "disk_read_mb MB", "disk_read_rate_mbs MB/s", "disk_read_ops  ops"),
        ("Disk Write", "%s (%s, %s)", "disk_write_mb MB", "disk_write_rate_mbs MB/s", "disk_write_ops  ops"),
        ("Disk I/O", "util=%s, await=%s, queue=%s", "disk_util_percent %", "await_ms ms", "queue_depth "),
        ("Net RX", "%s (%s)", "net_rx_mb MB", "net_rx_rate_mbs MB/s"),
        ("Net TX", "%s (%s)", "net_tx_mb MB", "net_tx_rate_mbs MB/s"),
    )  # fmt: skip
    rows = [(line[0], line[1] % tuple([_shown(figures, *key.split(" ", 1)) for key in line[2:]])) for line in lines]
    text = "".join(["  %-14s %s\n" % (label + ":", value) for label, value in rows + list(further)])
    return "%s\n\u23f1\ufe0f  [%s] END: %s\n\n%s%s\n" % ("\u2500" * 71, name, when or iso_time(), text, "\u2550" * 71)


def _shown(figures: "dict[str, Any]", key: "str", unit: "str") -> "str":
    if key not in figures:
        return "n/a"
    number = "%.1f" % figures[key] if key in ("duration_s", "queue_depth") else "%d" % round(figures[key])
    return ("~" if key == "cpu_percent" else "") + number + unit


# --- The busiest processes --------------------------------------------------------------------------


class Processes:
    """CPU and I/O of every process over a step, by scans; costs about ten times a sample, so it is rare."""

    def __init__(self, proc: "str", hz: "int", started_ticks: "int") -> "None":
        self._proc, self._hz, self._started_ticks = proc, hz, started_ticks
        self._first = {}  # type: dict[tuple[str, bytes], tuple[int, int | None]]
        self._last = {}  # type: dict[tuple[str, bytes], tuple[str, int, int | None]]

    def scan(self) -> "None":
        """Takes the CPU ticks and bytes of every process now."""
        for pid in posix.listdir(self._proc):
            if not pid.isdigit():
                continue
            stat = read_file(self._proc + "/" + pid + "/stat", 4096)
            opened, closed = stat.find(b"("), stat.rfind(b")")
            fields = stat[closed + 2 :].split(None, 20)
            if closed < 0 or len(fields) < 20:
                continue
            io = read_file(self._proc + "/" + pid + "/io", 4096)
            done = (_number_after(io, b"read_bytes: "), _number_after(io, b"write_bytes: "))
            moved = None if done[0] is None or done[1] is None else done[0] + done[1]
            key = (pid, fields[19])
            ticks = int(fields[11]) + int(fields[12])
            if key not in self._first:
                self._first[key] = (0, 0) if int(fields[19]) >= self._started_ticks else (ticks, moved)
            self._last[key] = (stat[opened + 1 : closed].decode("utf-8", "replace"), ticks, moved)

    def busiest(self, count: "int" = 8) -> "list[list[Any]]":
        """`[[comm, cpu_s, io_mb or None], …]`: processes of one name together, busiest first."""
        sums = {}  # type: dict[str, list[Any]]
        for key, (name, ticks, moved) in self._last.items():
            ticks_before, moved_before = self._first[key]
            row = sums.setdefault(clean_name(name), [0, None])
            row[0] += ticks - ticks_before
            if moved is not None and moved_before is not None:
                row[1] = (row[1] or 0) + moved - moved_before
        rows = [
            [name, ticks / self._hz, None if io is None else round(io / MB, 1)] for name, (ticks, io) in sums.items()
        ]
        busy = [row for row in rows if row[1] >= 0.05 or (row[2] or 0) >= 1]
        busy.sort(key=lambda row: (-row[1], -(row[2] or 0), row[0]))
        io_first = sorted(busy[count:], key=lambda row: -(row[2] or 0))[:2]
        return busy[: count - len(io_first)] + io_first if io_first and io_first[0][2] else busy[:count]


# --- Places: where things lie while the build runs --------------------------------------------------


def home() -> "str":
    """The folder of the installed agent that runs now, or '' where none is installed."""
    folder, _, name = sys.argv[0].rpartition("/")
    return folder if name == "agent.pyc" or _exists(folder + "/agent.pyc") else ""


def quiet_words(folder: "str") -> "list[str]":
    """What is to stay out of the build's output, of `block` and `records`: what `install` was told, in `folder`.

    Where none is installed, BUILDTEL_BLOCK=false in our environment says it of the block.
    """
    if folder:
        return read_file(folder + "/buildtel_quiet", 100).decode("ascii", "replace").split()
    return ["block"] if posix.environ.get(b"BUILDTEL_BLOCK") == b"false" else []


def may_leave(folder: "str") -> "bool":
    """Whether the user that removes an agent installed in `folder` can remove what we leave."""
    return posix.stat(folder).st_uid in (0, posix.getuid())


class Spool:
    """This user's folder on a tmpfs, for what must outlive a process but not the build; or a `folder` given."""

    def __init__(self, owner: "str", folder: "str" = "") -> "None":
        self._owner = owner
        self._stem = "/buildtel-%08x-" % (crc32(owner.encode("utf-8", "replace")) & 0xFFFFFFFF)
        self._given = self._folder = folder
        self._known = None  # type: list[str] | None

    def first_of(self, uid: "str") -> "str":
        """Where the folder of a user lies, if its first place can be had."""
        return SPOOL_ROOTS[0] + self._stem + uid

    def claim(self) -> "int":
        """Holds this user's folder by a lock of the file that it gives; -1 if another process holds it."""
        import fcntl

        name = self.leave(posix.urandom(3).hex())
        if not name:
            return -1
        _quietly(posix.unlink, self.path(name))
        folder = posix.open(self._folder, posix.O_RDONLY | posix.O_CLOEXEC)
        if _quietly(fcntl.flock, folder, fcntl.LOCK_EX | fcntl.LOCK_NB):
            return folder
        posix.close(folder)
        return -1

    def create(self, name: "str", mode: "int" = 0o644) -> "int":
        """Opens a new file in this user's folder for writing; -1 where there is no place for it."""
        mine = self._stem + str(posix.getuid())
        for root in [self._folder] if self._folder else [root + mine for root in SPOOL_ROOTS]:
            for _attempt in (1, 2):
                try:
                    if not _exists(root):
                        posix.mkdir(root, 0o755)
                        self._known = None
                    if not owned_folder(root):
                        break
                    flags = posix.O_CREAT | posix.O_EXCL | posix.O_WRONLY | posix.O_APPEND | posix.O_CLOEXEC
                    fd = posix.open(root + "/" + name, flags, mode)
                    self._folder = root
                    if mode == 0o666:
                        posix.chmod(root + "/" + name, mode)
                    return fd
                except OSError:
                    continue
        return -1

    def leave(self, name: "str", data: "bytes" = b"") -> "str":
        """Creates a file with `data`; gives its name, '' where it could not be made."""
        fd = self.create(name)
        if fd < 0:
            return ""
        write(fd, data)
        posix.close(fd)
        return name

    def path(self, name: "str") -> "str":
        """Where a created file lies."""
        return self._folder + "/" + name

    def find(self, prefix: "str") -> "list[str]":
        """The files of every user whose names begin so, in the order of their names."""
        if self._known is None:
            self._known = self._folders()
        named = [(name, place) for place in self._known for name in _listed(place) if name.startswith(prefix)]
        return [folder + "/" + name for name, folder in sorted(named)]

    def keep_key(self, key: "bytes") -> "bool":
        """Leaves the key for later steps, for its owner's eyes and on a tmpfs only; False where there is none."""
        fd = self.create("key", 0o600)
        if fd < 0:
            return False
        kept = is_tmpfs(self._folder) and write(fd, key) == len(key)
        posix.close(fd)
        return kept or not _quietly(posix.unlink, self.path("key"))

    def key(self) -> "bytes":
        """The key that `install` kept, if it was our user, or the one that owns the installed agent."""
        for path in self.find("key"):
            try:
                stat = posix.lstat(path)
                trusted = (posix.getuid(), posix.stat(self._owner).st_uid)
            except OSError:
                continue
            if stat.st_mode & 0o170077 == 0o100000 and stat.st_uid in trusted:
                return read_file(path, 4096)
        return b""

    def clear(self) -> "None":
        """Removes every file of every folder that we may; by the folder itself, whatever its name leads to by then."""
        for folder in self._folders():
            try:
                fd = posix.open(folder, posix.O_RDONLY | posix.O_DIRECTORY | posix.O_NOFOLLOW | posix.O_CLOEXEC)
            except OSError:
                continue
            for name in posix.listdir(fd):
                try:
                    posix.unlink(name, dir_fd=fd)
                except OSError:
                    pass
            posix.close(fd)

    def tidy(self) -> "None":
        """Removes the folders that are empty."""
        for folder in [] if self._given else self._folders():
            _quietly(posix.rmdir, folder)

    def _folders(self) -> "list[str]":
        if self._given:
            return [self._given]
        stem = self._stem[1:]
        named = [(root + "/" + name, name) for root in SPOOL_ROOTS for name in _listed(root) if name.startswith(stem)]
        return [path for path, name in named if _is_folder_of(path, name.rpartition("-")[2])]


def _is_folder_of(path: "str", uid: "str") -> "bool":
    """Whether it is a real folder of the user that its name says: nobody else may put one there in his name."""
    try:
        stat = posix.lstat(path)
    except OSError:
        return False
    return stat.st_mode & 0o170000 == 0o040000 and str(stat.st_uid) == uid


def is_tmpfs(path: "str") -> "bool":
    """Whether what is written there stays in memory, by /proc/self/mounts."""
    best, kind = "", ""
    for line in read_file("/proc/self/mounts").decode("utf-8", "replace").splitlines():
        _, place, type_name = line.split(" ", 3)[:3]
        if (path + "/").startswith(place.rstrip("/") + "/") and len(place) >= len(best):
            best, kind = place, type_name
    return kind in ("tmpfs", "ramfs")


def owned_folder(path: "str") -> "bool":
    """Whether this is a real folder that only we (or root) can write to."""
    try:
        stat = posix.lstat(path)
    except OSError:
        return False
    return stat.st_mode & 0o170000 == 0o040000 and stat.st_uid in (0, posix.getuid()) and not stat.st_mode & 0o022


def _listed(path: "str") -> "list[str]":
    try:
        return posix.listdir(path)
    except OSError:
        return []


def _quietly(call: "Callable[..., Any]", *arguments: "Any") -> "bool":
    try:
        call(*arguments)
    except OSError:
        return False
    return True


def rows_to_text(names: "list[str]", values: "Iterable[int | None]") -> "tuple[str, str]":
    """A header and a row of a sample file."""
    return " ".join(names), " ".join(["-" if value is None else str(value) for value in values])


def row_from_text(text: "str") -> "list[int | None]":
    """The numbers of a row of a sample file."""
    return [None if value == "-" else int(value) for value in text.split()]


# --- A step's output, and what is owed to it ----------------------------------------------------------


def open_output(path: "str", ours: "tuple[int, int] | None") -> "int":
    """Opens a step's output anew by its link in /proc; -1 for what is neither a pipe nor a terminal.

    A file opened anew would have an offset of its own. For some microseconds the output of a process that tells of a
    step is our FIFO, `ours` (device, inode).

    Raises:
        OSError: we may not open it, or it has gone.
    """
    for _attempt in range(500):
        stat = posix.stat(path)
        if (stat.st_dev, stat.st_ino) != ours:
            break
        time.sleep(0.00002)
    else:
        return -1
    if stat.st_mode & 0o170000 != 0o010000 and not (stat.st_mode & 0o170000 == 0o020000 and _is_terminal(stat.st_rdev)):
        return -1
    return posix.open(path, posix.O_WRONLY | posix.O_NONBLOCK | posix.O_NOCTTY | posix.O_CLOEXEC)


def _is_terminal(device: "int") -> "bool":
    """Whether it is a pseudo-terminal. Source: Documentation/admin-guide/devices.txt of Linux, 136 to 143."""
    return 136 <= (device >> 8 & 0xFFF) <= 143


class Outlet:
    """A step's output: takes what it can take now, in order; the rest waits.

    While it is held all waits, so that what belongs together is written at once.
    """

    def __init__(self, fd: "int") -> "None":
        self.fd, self.waiting, self.is_held = fd, [], True  # type: int, list[bytes], bool
        stat = posix.fstat(fd) if fd >= 0 else None
        self.is_terminal = bool(stat and stat.st_mode & 0o170000 == 0o020000 and _is_terminal(stat.st_rdev))

    def say(self, data: "bytes") -> "int":
        """Writes at most 4,096 bytes, now or later."""
        self.waiting.append(data)
        self.pay(0)
        return len(data)

    def pay(self, wait_ms: "int") -> "bool":
        """Writes what waits, as far as it goes; whether nothing waits any more."""
        while self.waiting and not self.is_held and _writable(self.fd, wait_ms):
            count, size = 1, len(self.waiting[0])
            while count < len(self.waiting) and size + len(self.waiting[count]) <= 4096:
                size += len(self.waiting[count])
                count += 1
            data = b"".join(self.waiting[:count])
            taken = write(self.fd, data)
            if not taken:
                break
            self.waiting[:count] = [data[taken:]] if taken < size else []
        return not self.waiting

    def close(self) -> "None":
        """Lets go of it: what comes is owed."""
        if self.fd >= 0:
            posix.close(self.fd)
        self.fd = -1


class StepRecorder(Recorder):
    """A recorder whose records go to a step's outlet."""

    def __init__(self, outlet: "Outlet", *more: "Any") -> "None":
        super().__init__(outlet.fd, *more)
        self._outlet = outlet

    def say(self, data: "bytes") -> "int":
        """As `Outlet.say`."""
        return self._outlet.say(data)


def keep_owed(outlet: "Outlet", spool: "Spool", name: "str") -> "None":
    """Leaves what could not be written for the next call of the agent."""
    fd = spool.create("owed-" + name) if outlet.waiting else -1
    for data in outlet.waiting if fd >= 0 else ():
        write(fd, data)
    outlet.waiting = []


def bring_owed(recorder: "Recorder", paths: "list[str]") -> "None":
    """Writes what earlier steps could not, once: who may not remove it leaves it to somebody who may."""
    for path in paths:
        data = read_file(path)
        if not _quietly(posix.unlink, path):
            continue
        while data:
            piece = data[: data[:4000].rfind(b"\n") + 1] or data[:4000]
            recorder.say(piece)
            data = data[len(piece) :]


# --- Tasks that end, as the kernel tells root of them ------------------------------------------------

# struct taskstats, behind a message's heads of 36 bytes, or 40 where the kernel aligns it: exit code, flags, run-queue
# delay and run time (ns), name, pid, parent, elapsed, user and system time (us), most resident memory (kB), bytes read,
# written, and written but cancelled; from version 12 on thread group and its elapsed time (us).
# Source: include/uapi/linux/taskstats.h and genetlink.h of Linux.
TASK_FORMAT = "=4xH2xI%dx4xIB15xQ40xQ32s16xII8xQQQ32xQ40xQQQ"
GROUP_FORMAT = "96xI4xQ"  # since version 12 (Linux 5.18)
AGROUP = 0x20  # the last of its thread group, since version 12
MOST_CPUS = 256
MOST_GROUPS = 10000  # processes of which some threads have ended
MOST_OF_TAKE = 100000
LATE_S = 0.1
BUFFERS_BYTES = 1 << 24  # of all sockets together; the kernel allows twice that
SEQUENCE = 1 << 32
OLD_MESSAGES = 1 << 20  # a number further behind or ahead than this is another CPU's


class Task:
    """A process that ended. `ended_s` is when that was heard, by the monotonic clock; `code` is a status of wait(2).

    The kernel counts its CPU time twice: `run_ns` lacks what was since the last tick or wait, `ticked_ns` is by ticks,
    so right on average. Both lack the end itself, when its memory is freed.
    """

    __slots__ = (
        "code", "delay_ns", "ended_s", "is_whole", "length_s", "main_s", "name", "parent", "pid", "read", "resident_kb",
        "run_ns", "ticked_ns", "written",
    )  # fmt: skip

    def __init__(self, pid: "int", parent: "int", name: "bytes", length_s: "float", ended_s: "float") -> "None":
        self.pid, self.parent, self.name, self.length_s, self.ended_s = pid, parent, name, length_s, ended_s
        self.run_ns = self.ticked_ns = self.resident_kb = 0
        self.main_s = None  # type: float | None  # how long its main thread ran, if that has ended
        self.is_whole = False  # no thread of it can run on
        self.delay_ns = None  # type: int | None
        self.code, self.read, self.written = None, None, None  # type: int | None, int | None, int | None


class CpuSocket:
    """The messages of one CPU's tasks, which are numbered: a gap tells how many were lost."""

    def __init__(self, socket: "Any", cpu: "int") -> "None":
        self.socket, self.cpu = socket, cpu
        self.expected = -1  # the number of the next message, -1 before the first
        self.is_continued = False  # messages before `expected` were another socket's
        self.overran = False

    def is_new(self, number: "int") -> "tuple[bool, int]":
        """Whether a message is none that the socket before this one had, and how many before it were lost."""
        ahead = (number - self.expected) % SEQUENCE if self.expected >= 0 else 0
        if ahead >= SEQUENCE - OLD_MESSAGES:  # behind
            return not self.is_continued, 0
        if ahead >= OLD_MESSAGES:
            return True, 0
        self.is_continued = False
        self.expected = (number + 1) % SEQUENCE
        return True, ahead if self.overran else 0


class Threads:
    """Joins the threads of a process to one task; before version 12 the kernel does not tell whose a thread was."""

    def __init__(self) -> "None":
        self._parts, self._over = {}, []  # type: dict[int, Task], list[Task]

    def add(self, fields: "tuple[Any, ...]", now_s: "float", is_one_of_several: "bool") -> "Task | None":
        """The process of which a message tells the end; None if it has threads, whose messages may come later."""
        _, _, code, flags, delay_ns, run_ns, name, pid, parent, length_us, user_us, system_us = fields[:12]
        group, group_us = fields[16:] or (pid, length_us)
        task = Task(group, parent, name.rstrip(b"\0"), group_us / 1e6, now_s)
        task.run_ns, task.ticked_ns, task.resident_kb = run_ns, (user_us + system_us) * 1000, fields[12]
        task.delay_ns, task.read, task.written = delay_ns, fields[13], max(fields[14] - fields[15], 0)
        task.is_whole = len(fields) > 16
        if pid == group:
            task.code, task.main_s = code, length_us / 1e6
        if len(fields) == 16 or not is_one_of_several:
            return task
        self._parts[group] = task if group not in self._parts else joined(task, self._parts[group])
        if flags & AGROUP:
            self._over.append(task)
        return None

    def over(self) -> "list[Task]":
        """The processes of several threads that have ended, as all messages have come that were sent until now."""
        found = [self._parts.pop(task.pid) for task in self._over if task.pid in self._parts]
        self._over = []
        if len(self._parts) > MOST_GROUPS:  # of which the last message was lost
            self._parts.clear()
        return found


def joined(task: "Task", before: "Task") -> "Task":
    """A thread and those of its process that were heard of before, as one.

    The status of a main thread that left long before the others tells nothing; nor is a number's former owner joined.
    Where another thread began a program it is the main one from then on: there are two, the last counts.
    """
    if before.ended_s < task.ended_s - task.length_s - LATE_S:
        return task
    task.run_ns, task.ticked_ns = task.run_ns + before.run_ns, task.ticked_ns + before.ticked_ns
    task.resident_kb = max(task.resident_kb, before.resident_kb)
    task.delay_ns = (task.delay_ns or 0) + (before.delay_ns or 0)
    task.read, task.written = (task.read or 0) + (before.read or 0), (task.written or 0) + (before.written or 0)
    task.length_s, task.ended_s = max(task.length_s, before.length_s), max(task.ended_s, before.ended_s)
    if before.main_s is not None and (task.main_s is None or task.main_s < before.main_s):
        task.name, task.code, task.main_s = before.name, before.code, before.main_s
    if task.main_s is not None and task.length_s - task.main_s > LATE_S:
        task.code = None
    return task


class Tasks:
    """Hears of every task of the machine that ends; root only, in the initial namespaces.

    Raises:
        OSError: this kernel tells us nothing, or in a form that we do not know.
    """

    def __init__(self) -> "None":
        import _socket
        import _struct

        self.lost, self._threads, self._buffer = 0, Threads(), bytearray(4096)
        self.sockets = []  # type: list[CpuSocket]
        self._new = _socket.socket
        asked = self._new(16, 3, 16)  # AF_NETLINK, SOCK_RAW, NETLINK_GENERIC
        try:
            asked.bind((0, 0))
            self._family = family_of_taskstats(asked)
            self._unpack, self._size, self._of_one = task_reader(asked, self._family, _struct.Struct)
            self._open()
        except BaseException:
            self.close()
            raise
        finally:
            asked.close()

    @classmethod
    def opened(cls) -> "Tasks | None":
        """One, or None where the kernel has none for us."""
        if posix.getuid():
            return None
        try:
            return cls()
        except Exception:  # a kernel that answers as no other: it must cost no sampler
            return None

    def again(self) -> "Tasks":
        """Another that hears what this one has not taken yet, once this one has taken what is there and `follow`ed."""
        other = Tasks.__new__(Tasks)
        other.__dict__.update(self.__dict__, lost=0, sockets=[])
        try:
            other._open()
        except OSError:
            other.close()
            raise
        return other

    def follow(self, before: "Tasks") -> "None":
        """Leaves out what the one before has taken."""
        for socket, old in zip(self.sockets, before.sockets):
            socket.expected, socket.is_continued = old.expected, old.expected >= 0

    def fds(self) -> "list[int]":
        """Files that are readable when there is news."""
        return [one.socket.fileno() for one in self.sockets]

    def close(self) -> "None":
        """Hears no more."""
        for one in self.sockets:
            one.socket.close()
        self.sockets = []

    def take(self) -> "list[Task]":
        """The tasks of which the messages have come, children before their parents."""
        found, heard = [], -1  # type: list[Task], int
        while heard and len(found) < MOST_OF_TAKE:  # a child's message may have come after its parent's, by another CPU
            heard = sum([self._take_of(one, found) for one in self.sockets])
        found += self._threads.over()
        return children_first(found) if len(found) > 1 else found

    def settle(self) -> "list[Task]":
        """After a loss: lets a task end on each CPU, whose number tells how many were lost before it."""
        for one in self.sockets:
            if not one.overran:
                continue
            pid = posix.fork()
            if not pid:
                _quietly(posix.sched_setaffinity, 0, {one.cpu})
                posix._exit(0)
            _quietly(posix.waitpid, pid, 0)  # one that ignores SIGCHLD waits and has no status
        return [task for task in self.take() if task.parent != posix.getpid()]

    def _take_of(self, one: "CpuSocket", found: "list[Task]") -> "int":
        receive, buffer, now, heard = one.socket.recv_into, self._buffer, time.monotonic(), 0
        while True:
            try:
                size = receive(buffer)
            except BlockingIOError:
                return heard
            except OSError:  # ENOBUFS: messages were lost
                one.overran = True
                continue
            heard += 1
            if size < self._size:
                continue
            fields = self._unpack(buffer)
            if fields[0] != self._family:
                continue
            is_new, lost = one.is_new(fields[1])
            self.lost += lost
            if is_new:
                # The last of several has a message that tells of its group, too.
                task = self._threads.add(fields, now, size > self._of_one or not fields[3] & AGROUP)
                if task is not None:
                    found.append(task)

    def _open(self) -> "None":
        count = posix.sysconf("SC_NPROCESSORS_CONF")
        if count > MOST_CPUS:
            raise OSError("too many CPUs")
        for cpu in range(count):
            socket = self._new(16, 3, 16)
            self.sockets.append(CpuSocket(socket, cpu))
            socket.setsockopt(1, 33, min(1 << 22, BUFFERS_BYTES // count))  # SO_RCVBUFFORCE
            socket.bind((0, 0))
            answer = ask(socket, self._family, 1, 3, b"%d\0" % cpu)  # CMD_GET, ATTR_REGISTER_CPUMASK
            if _u16(answer, 4) == 2 and _u32(answer, 16):
                raise OSError("no taskstats")
            socket.setblocking(False)


def family_of_taskstats(socket: "Any") -> "int":
    """The number that the kernel gave to taskstats. Raises OSError where it has none."""
    answer = ask(socket, 16, 3, 2, b"TASKSTATS\0")  # GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_NAME
    for kind, at, _ in _attributes(answer, 20, len(answer)):
        if kind == 1:
            socket.recv(65536)  # the acknowledgement
            return _u16(answer, at)
    raise OSError("no taskstats")


def task_reader(
    socket: "Any", family: "int", new: "Callable[[str], Any]"
) -> "tuple[Callable[[Any], tuple[Any, ...]], int, int]":
    """What reads a message, its length, and the message's, by one about ourselves: Linux 6.14 has fields elsewhere.

    Raises:
        OSError: the kernel's messages have a form that we do not know.
    """
    pid = posix.getpid()
    answer = ask(socket, family, 1, 1, pid.to_bytes(4, sys.byteorder))  # CMD_GET, ATTR_PID
    for kind, at, end in _attributes(answer, 20, len(answer)):
        starts = [start for inner, start, _ in _attributes(answer, at, end) if inner == 3] if kind == 4 else []
        for start in starts:
            reader = new(TASK_FORMAT % (start - 12) + (GROUP_FORMAT if _u16(answer, start) >= 12 else ""))
            fields = reader.unpack_from(answer)
            if fields[7:9] == (pid, posix.getppid()) and fields[16:17] in ((), (pid,)):
                return reader.unpack_from, reader.size, _u32(answer, 0)
    raise OSError("taskstats of another form")


def children_first(tasks: "list[Task]") -> "list[Task]":
    """The same, each behind its children, else in their order."""
    by_parent, pids = {}, {task.pid for task in tasks}  # type: dict[int, list[Task]], set[int]
    for task in tasks:
        if task.parent in pids and task.parent != task.pid:
            by_parent.setdefault(task.parent, []).append(task)
    if not by_parent:
        return tasks
    ordered, waiting = [], [task for task in reversed(tasks) if task.parent not in pids]
    while waiting:
        task = waiting.pop()
        children = by_parent.pop(task.pid, None)
        if children:
            waiting.append(task)
            waiting += reversed(children)
        else:
            ordered.append(task)
    return ordered + [task for children in by_parent.values() for task in children]  # of numbers that came twice


def ask(socket: "Any", family: "int", command: "int", kind: "int", value: "bytes") -> "bytes":
    """The kernel's answer to a message of generic netlink with one attribute."""
    order = sys.byteorder
    attribute = (len(value) + 4).to_bytes(2, order) + kind.to_bytes(2, order) + value + bytes(-len(value) % 4)
    head = (len(attribute) + 20).to_bytes(4, order) + family.to_bytes(2, order) + (5).to_bytes(2, order)
    socket.send(head + bytes(8) + bytes((command, 1, 0, 0)) + attribute)
    return bytes(socket.recv(65536))


def _u16(data: "bytes", at: "int") -> "int":
    return int.from_bytes(data[at : at + 2], sys.byteorder)


def _u32(data: "bytes", at: "int") -> "int":
    return int.from_bytes(data[at : at + 4], sys.byteorder)


def _attributes(data: "bytes", at: "int", end: "int") -> "Iterator[tuple[int, int, int]]":
    """(kind, start, end) of each netlink attribute."""
    while at + 4 <= end:
        length = _u16(data, at)
        if length < 4:
            return
        yield _u16(data, at + 2) & 0x3FFF, at + 4, at + length
        at += length + 3 & ~3


# --- The process that is a step ----------------------------------------------------------------------

PIDFD_GET_INFO = 0xC040FF0B  # _IOWR(0xFF, 11, struct pidfd_info of 64 bytes); Linux 6.13
PIDFD_INFO_EXIT = 8  # Linux 6.15
TIMER_NUMBERS = {"x86_64": (222, 223), "aarch64": (107, 110), "riscv64": (107, 110), "s390x": (254, 255)}
LEASH_S = 15
BATCH_S = 0.025  # news of commands that ended are taken together, so often at most


def stat_fields(folder: "str") -> "list[bytes]":
    """The fields of a process's /proc/PID/stat behind its name: state, parent, ... Raises OSError if it is gone."""
    text = read_file(folder + "/stat", 4096)
    fields = text[text.rfind(b")") + 2 :].split()
    if len(fields) < 20:
        raise OSError("no process " + folder)
    return fields


class Process:
    """A process that we are no parent of: when it ends, and how; once it is to `hear` of tasks, what it ran.

    `not_ours` are processes below it that are not its own.
    """

    def __init__(self, pid: "int", not_ours: "Collection[int]" = ()) -> "None":
        self.pid, self._folder = pid, "/proc/%d" % pid
        self._fd = -1
        try:
            self._fd = posix.pidfd_open(pid)
        except (AttributeError, OSError):  # Python before 3.9, Linux before 5.3
            pass
        self.birth = stat_fields(self._folder)[19].decode()
        self._begun = time.monotonic()
        self._poll = select.poll()
        if self._fd >= 0:
            self._poll.register(self._fd, select.POLLIN)
        self._not_ours = [other for other in not_ours if other != pid]
        self.account, self.tasks = None, None  # type: Any, Tasks | None  # an Account from `hear` on

    def over_before(self, fd: "int", wait_ms: "int") -> "bool":
        """Waits so long, or until `fd` is readable, for its end; whether it has ended. Never waits without a pidfd."""
        if self._fd < 0:
            return False
        self._poll.register(fd, select.POLLIN)
        ready = [found for found, _ in self._poll.poll(wait_ms)]
        self._poll.unregister(fd)
        return self._fd in ready and self.over(0)

    def hear(self, tasks: "Tasks | None") -> "None":
        """Takes accounts of what `tasks` tells from now on; needs every part of the agent, as what is called then."""
        if self.account is None:
            self.account = Account(self.pid, self._not_ours)
            self.account.began_s = self._begun
        self.tasks, self._news = tasks, select.poll()
        self._lost_before = tasks.lost if tasks is not None else 0
        for fd in [self._fd, *tasks.fds()] if tasks is not None and self._fd >= 0 else ():
            self._news.register(fd, select.POLLIN)

    def take(self) -> "list[Task]":
        """Takes accounts of what has ended until now; gives it."""
        if self.tasks is None or self.account is None:
            return []
        taken = self.tasks.take()
        self.account.add(taken)
        return taken

    def lost(self) -> "int":
        """How many commands could not be heard of."""
        return self.tasks.lost - self._lost_before if self.tasks is not None else 0

    def over(self, wait_s: "float") -> "bool":
        """Waits so long for its end, and takes accounts of what ends meanwhile; whether it has ended."""
        until = time.monotonic() + wait_s
        while self.tasks is not None and until - time.monotonic() > BATCH_S:
            self.take()
            if self._has_ended(BATCH_S):
                return True
            if self._fd >= 0:
                self._news.poll(int(max(until - time.monotonic() - BATCH_S, 0) * 1000) + 1)
        return self._has_ended(max(until - time.monotonic(), 0.0))

    def _has_ended(self, wait_s: "float") -> "bool":
        if self._fd >= 0:
            return bool(self._poll.poll(int(wait_s * 1000) + 1))
        until = time.monotonic() + wait_s
        while not self._is_gone():
            now = time.monotonic()
            if now >= until:
                return False
            time.sleep(min(until - now, max(0.001, min((now - self._begun - 0.1) / 100, 0.05))))
        return True

    def close(self) -> "None":
        """Lets go of it."""
        if self._fd >= 0:
            posix.close(self._fd)

    def _is_gone(self) -> "bool":
        try:
            fields = stat_fields(self._folder)
        except OSError:
            return True
        return fields[19].decode() != self.birth or (fields[0] in (b"Z", b"X") and int(fields[17]) <= 1)

    def exit(self) -> "Exit":
        """(exit status, signal, where it is from) of a process that has ended, as far as the kernel tells us.

        Its status is the kernel's of a zombie or of one that is reaped (some microseconds later), or the last task's.
        """
        give_up = time.monotonic() + 0.02
        code, source = None, None  # type: int | None, str | None
        while code is None:
            code, source = self._reaped(), "pidfd"
            if code is None:
                code, source = self._zombie(), "zombie"
            if code is not None or time.monotonic() > give_up:
                break
            if self._is_reaped() and not (self._fd >= 0 and tells_exits()):
                break
            time.sleep(0.0002)
        self.take()
        shell = self.account.shell if self.account is not None else None
        # Before version 12 nothing tells whether its other threads went on.
        if code is None and shell is not None and (shell.is_whole or time.monotonic() - shell.ended_s < LATE_S):
            code, source = shell.code, "taskstats"
        return (None, None, None) if code is None else exit_of(code, source)

    def _reaped(self) -> "int | None":
        if self._fd < 0:
            return None
        import fcntl

        info = bytearray(PIDFD_INFO_EXIT.to_bytes(8, sys.byteorder) + bytes(56))
        if not _quietly(fcntl.ioctl, self._fd, PIDFD_GET_INFO, info):
            return None
        mask = int.from_bytes(info[:8], sys.byteorder)
        return int.from_bytes(info[60:], sys.byteorder) if mask & PIDFD_INFO_EXIT else None

    def _is_reaped(self) -> "bool":
        return not _exists(self._folder + "/stat")

    def _zombie(self) -> "int | None":
        """Field 52 of a zombie of ours; of others the kernel says 0 whatever it was."""
        try:
            fields = stat_fields(self._folder)
            stat = posix.stat(self._folder)
        except OSError:
            return None
        ours = posix.getuid() == 0 or (stat.st_uid, stat.st_gid) == (posix.getuid(), posix.getgid())
        is_it = fields[0] == b"Z" and fields[19].decode() == self.birth and len(fields) > 49
        return int(fields[49]) if ours and is_it else None


if TYPE_CHECKING:
    Exit = tuple[int | None, int | None, str | None]


def exit_of(code: "int", source: "str | None") -> "tuple[int, int | None, str | None]":
    """What a shell makes of a status of wait(2): 128 and the signal's number where one ended it."""
    signal = code & 127
    return (128 + signal, signal, source) if signal else (code >> 8 & 255, None, source)


def tells_exits(known: "list[bool]" = []) -> "bool":  # noqa: B006  (asked once)
    """Whether this kernel tells the exit status of processes that are reaped, by a pidfd (Linux 6.15)."""
    if not known:
        release = posix.uname().release.split("-")[0].split(".")
        numbers = [int(part) if part.isdigit() else 0 for part in release[:2]]
        known.append(numbers >= [6, 15] and hasattr(posix, "pidfd_open"))
    return known[0]


def timers(found: "list[Any]" = []) -> "Any":  # noqa: B006  (loaded once)
    """The ctypes module, None where there is none. The sampler of the whole life loads it before it forks."""
    if not found:
        try:
            import ctypes

            found.append(ctypes)
        except ImportError:
            found.append(None)
    return found[0]


class Leash:
    """Ends this process by SIGKILL where it is not armed again in time: a stopped one would hold the build's output.

    A timer of the kernel whose signal is SIGKILL works on a stopped process, too. There is none without ctypes.
    Source: timer_create(2); struct sigevent is value, signal, how to notify.
    """

    def __init__(self) -> "None":
        self._call = None  # type: Callable[..., Any] | None
        numbers, ctypes = TIMER_NUMBERS.get(posix.uname().machine), timers()
        if not numbers or not ctypes:
            return
        call = ctypes.CDLL(None).syscall
        event = ctypes.create_string_buffer(bytes(8) + (9).to_bytes(4, sys.byteorder) + bytes(52))
        timer = ctypes.c_int()
        if call(numbers[0], 1, event, ctypes.byref(timer)) == 0:
            times = [(ctypes.c_long * 4)(0, 0, seconds, 0) for seconds in (0, LEASH_S)]
            self._call = lambda armed: call(numbers[1], timer, 0, times[armed], None)

    def arm(self, armed: "bool" = True) -> "None":
        """Gives this process the time anew, or all time."""
        if self._call is not None:
            self._call(armed)


def outer_step(pid: "str", paths: "list[str]") -> "str | None":
    """The step under way that the process `pid` (ours if it is empty) is part of, by its ancestors.

    `paths` are the files at-PID of all steps under way.
    """
    marks = {path.rpartition("at-")[2]: path for path in paths}
    folder = "/proc/" + (pid or "self")
    for _generation in range(64 if marks else 0):
        try:
            parent = stat_fields(folder)[1].decode()
            folder = "/proc/" + parent
            birth = stat_fields(folder)[19].decode()
        except OSError:
            return None
        text = read_file(marks[parent], 100).decode("ascii", "replace") if parent in marks else ""
        step, _, begun = text.partition(" ")
        if begun == birth and step.replace(".", "").isalnum():
            return step
    return None


def name_of(pid: "int", by_words: "bool") -> "str":
    """The value of BUILDTEL_STEP in a process's environment, or in its command line, as its shell takes it."""
    text = read_file("/proc/%d/%s" % (pid, "cmdline" if by_words else "environ"), 1 << 17)
    found = text.find(b"BUILDTEL_STEP=")
    value = text[found + 14 :].split(b"\0", 1)[0] if found >= 0 else b""
    value = shell_word(value) if by_words else value
    return clean_name(value.decode(sys.getfilesystemencoding(), "surrogateescape"))


def shell_word(text: "bytes") -> "bytes":
    """The first word of a command line, without its quotes."""
    word, quote, at = bytearray(), 0, 0
    while at < min(len(text), 4096):
        char = text[at]
        if quote:
            if char == quote:
                quote = 0
            elif char == 92 and quote == 34 and text[at + 1 : at + 2] in (b'"', b"\\", b"$", b"`"):
                at += 1
                word.append(text[at])
            else:
                word.append(char)
        elif char in b"'\"":
            quote = char
        elif char == 92 and at + 1 < len(text):
            at += 1
            word.append(text[at])
        elif char in b" \t\n;&|<>()":
            break
        else:
            word.append(char)
        at += 1
    return bytes(word)


# --- What the sampler of the whole life and earlier steps left ---------------------------------------


def send_news(recorder: "Recorder", spool: "Spool", kernel: "Kernel", begins_step: "bool") -> "None":
    """Sends what the whole-life sampler and earlier steps left, or says hello and starts a sampler.

    With `begins_step` the sampler's samples and its start wait until the step is over.
    """
    if not begins_step and sampler_is_running(spool):
        flush(recorder, spool)
    else:
        if not begins_step or not lived_since_boot(spool):
            recorder.emit("hello", machine(kernel), own_line=True)
        if not begins_step:
            start_life(recorder.run)
    send_leftovers(recorder)
    bring_owed(recorder, spool.find("owed-"))


def rests() -> "list[str]":
    """The files of what samplers left for after a reboot."""
    return [home() + "/" + name for name in _listed(home()) if name.startswith("buildtel_rest-")]


def send_leftovers(recorder: "Recorder") -> "None":
    """Hands it on, once: who may not remove it leaves it to somebody who may. To the spool where that has all."""
    for path in rests():
        if recorder.is_quiet and recorder.spool and _taken_over(path, recorder.spool):
            continue
        lines = read_file(path).splitlines()
        for line in lines if _quietly(posix.unlink, path) else ():
            if line.startswith(b"BUILDTEL:"):
                recorder.write_record(line + b"\n")


def _taken_over(path: "str", spool: "Spool") -> "bool":
    """Whether a file of records is the spool's now."""
    name = path.rpartition("/")[2] + ".jsonl"
    fd = spool.create(name)
    is_there = fd >= 0 and _quietly(_copy, path, fd)
    if fd >= 0:
        posix.close(fd)
    if is_there and _quietly(posix.unlink, path):
        return True
    _quietly(posix.unlink, spool.path(name))
    return False


def lived_since_boot(spool: "Spool") -> "bool":
    """Whether a whole-life sampler has written since this machine's boot: then hello has been said."""
    booted_s = time.time() - boottime_ns() / 1e9
    return any(posix.stat(path).st_mtime > booted_s for path in spool.find("life-"))


def _copy(path: "str", out: "int") -> "None":
    try:
        fd = posix.open(path, posix.O_RDONLY | posix.O_CLOEXEC | posix.O_NOFOLLOW)
    except OSError:
        return
    block = posix.read(fd, 65536)
    while block:
        block = block[posix.write(out, block) :] or posix.read(fd, 65536)
    posix.close(fd)


# --- Commands ---------------------------------------------------------------------------------------


def machine(kernel: "Kernel") -> "dict[str, Any]":
    """What `hello` tells of this machine."""
    system, fs = posix.uname(), posix.statvfs("/")
    counters = kernel.counters(("/stat", "/meminfo"))
    release = read_file("/etc/os-release").decode("utf-8", "replace")
    pretty = [line[12:].strip("\"'") for line in release.splitlines() if line.startswith("PRETTY_NAME=")]
    return {
        "agent": __version__,
        "python": "%d.%d.%d" % sys.version_info[:3],
        "cpus": (counters.get("cpus") or [None])[0],
        "memory_total_kb": (counters.get("mem") or [None])[0],
        "disk_total_kb": fs.f_blocks * fs.f_frsize // 1024,
        "kernel": system.release,
        "os": clean_name(pretty[0]) if pretty else None,
        "arch": system.machine,
        "hz": posix.sysconf("SC_CLK_TCK"),
        "psi": bool(read_file(kernel.proc + "/pressure/cpu")),
    }


def begin(
    options: "dict[str, str]", out: "int", mid_line: "bool" = False, outlet: "Outlet | None" = None
) -> "tuple[Recorder, Spool, Kernel]":
    """What every call does first: brings the whole-life sampler's news, or says hello where there is none.

    With the option `record` the records go to that file, in whose folder all else is kept too: so does the
    runner, whose log is for people. A command that may run in the middle of an output line sets `mid_line`. A step's
    sampler gives its `outlet`; it sends the whole-life sampler's news, or starts that one, after its step.
    """
    kernel = Kernel(options.get("proc", "/proc"), options.get("sys", "/sys"))
    if "record" in options:
        return (*file_recorder(options, kernel), kernel)
    installed = home()
    spool = Spool(installed or sys.argv[0])
    run = run_id(options)
    key = posix.environ.get(b"BUILDTEL_KEY", b"") or (spool.key() if installed else b"")
    kept = spool if installed and may_leave(installed) else None
    more = (run, kernel.proc, kept, key, quiet_words(installed))
    recorder = StepRecorder(outlet, *more) if outlet else Recorder(out, *more)
    recorder.mid_line = mid_line
    if "parent" not in options:
        outer = outer_step(options.get("pid", ""), spool.find("at-"))
        options.update({"parent": outer} if outer else {})
    if installed:
        send_news(recorder, spool, kernel, begins_step=outlet is not None)
    elif "parent" not in options:
        recorder.emit("hello", machine(kernel), own_line=True)
    return recorder, spool, kernel


def file_recorder(options: "dict[str, str]", kernel: "Kernel") -> "tuple[Recorder, Spool]":
    """Writes into the file of the option `record`, and keeps all else in its folder."""
    file = options["record"]
    out = posix.open(file, posix.O_WRONLY | posix.O_APPEND | posix.O_CREAT | posix.O_CLOEXEC, 0o600)
    key = posix.environ.get(b"BUILDTEL_KEY", b"")
    recorder = Recorder(out, options.get("run", ""), kernel.proc, None, key, quiet_words(""))
    return recorder, Spool("", file.rpartition("/")[0])


def run_id(options: "dict[str, str]") -> "str":
    """Packer's id of its run, '' for what is none."""
    run = options.get("run", "")
    return run if run.replace("-", "").isalnum() else ""


def watch(options: "dict[str, str]") -> "None":
    """Measures one step where the sampler of the whole life can't: `watch pre|run|lead PID`, started by the sh part."""
    leave_caller()
    process = Process(int(options["second"]))
    hears = not tells_exits()  # if no pidfd tells the exit status, the kernel's message on the ended task may
    if hears:
        hear(process, Tasks.opened())
    outlet = Outlet(taken_output())
    options["pid"] = str(process.pid)
    if not options["step"] and "parent" not in options:
        options["step"] = name_of(process.pid, options["name"] != "run")
    recorder, spool, kernel = begin(options, outlet.fd, outlet=outlet)
    marks = [path for path in spool.find("at-") if path.endswith("/at-%d" % process.pid)]
    if any(read_file(path, 100).split(b" ")[-1] == process.birth.encode() for path in marks):
        call_ourselves(b"bt-watch")  # a sampler began it, and was killed: it is not begun again
        return
    step = Step(process, options, outlet)
    step.start(recorder, spool, kernel)
    call_ourselves(b"bt-watch")
    tasks = None if hears else Tasks.opened()  # before the step's first command can have ended
    is_over = not hears and process.over(0.0)
    if not is_over:
        if not hears:
            hear(process, tasks)
            step.measure_own()
        is_over = process.over(AT_ONCE_MS / 1000)
    is_done = is_over and step.end(0, with_samples=False)
    time.sleep(0.01)  # who reads the output goes on first, also where it was to have our CPU
    load_later()
    revive_life(spool, run_id(options))
    if not is_done:
        step.measure()


def leave_caller() -> "None":
    """Makes this process one that no signal or file of who started it concerns, but for its output."""
    if posix.getpid() != posix.getsid(0):
        posix.setsid()
    for number in (1, 2, 15):
        _signal.signal(number, _signal.SIG_IGN)
    for name in _listed("/proc/self/fd"):
        if name.isdigit() and int(name) > 2:
            _quietly(posix.close, int(name))


def taken_output() -> "int":
    """This process's output, opened anew so that no write to it waits; as it is where it can't be opened."""
    try:
        out = open_output("/proc/self/fd/1", None)
    except OSError:  # a pipe of another user's, whom we were before
        return 1
    if out < 0:
        return 1
    posix.close(1)
    posix.open("/dev/null", posix.O_RDWR)
    return out


def hear(process: "Process", tasks: "Tasks | None") -> "None":
    """Begins the account of what the process runs."""
    load_later()
    process.hear(tasks)


def call_ourselves(name: "bytes") -> "None":
    """Tells the sh part how far we are, by our name in /proc."""
    fd = posix.open("/proc/self/comm", posix.O_WRONLY)
    posix.write(fd, name)
    posix.close(fd)


class Step:
    """A step whose process is not ours: writes its start, and its end when its process is over.

    The next call of the agent writes output that nobody read within five seconds, and the end of a step in a terminal.
    """

    def __init__(self, process: "Process", options: "dict[str, str]", outlet: "Outlet") -> "None":
        self.process, self.options, self.outlet = process, options, outlet
        self._shown = options["step"] or clean_name(options.get("label", "")) or "step"
        self._is_written = False
        self._leash = None  # type: Leash | None

    def start(self, recorder: "Recorder", spool: "Spool", kernel: "Kernel", spent_s: "float" = 0.0) -> "None":
        """Leaves a mark for steps within it, and writes the block's head and the start record.

        `spent_s` of CPU time this process had used before.
        """
        self.recorder, self.spool, self.kernel = recorder, spool, kernel
        name, step = self.options["step"], recorder.sid + ".1"
        if recorder.has_block:
            self.outlet.say(start_block(self._shown).encode())
        self._watch = Watch(recorder, kernel, step, self.outlet.say)
        self._watch.spent_s = spent_s
        if self.process.account is not None:
            self.measure_own()
        self._mark = spool.leave("at-%d" % self.process.pid, ("%s %s" % (step, self.process.birth)).encode())
        self.mark = spool.path(self._mark)
        fields = {"name": name or None, "parent": self.options.get("parent"), "c": self._watch.start}
        if self.options["name"] == "run":
            fields["by"] = "run"  # it may be a part of its provisioner, or one of several
        recorder.emit("start", fields, {"step": step}, own_line=True)
        self.outlet.is_held = False
        self.outlet.pay(0)

    def measure_own(self) -> "None":
        """Measures what the step's own processes use from now on; its process has an account of what it runs."""
        self._watch.own = OwnLoad(self.process)

    def bind(self) -> "Leash":
        """Bounds how long this process holds the step's output once it is stopped; a fork calls it before all else."""
        self._leash = Leash()
        self._leash.arm()
        return self._leash

    def measure(self) -> "None":
        """Samples until the process is over, and writes the end."""
        outlet = self.outlet
        leash = self._leash or self.bind()

        def is_over(wait_s: "float") -> "bool":
            leash.arm()
            return self.process.over(wait_s if outlet.pay(0) else min(wait_s, 0.05))

        if not self._is_written:
            self._watch.spent_s = 0.0  # a fork has used none
            self._watch.until(is_over)
        leash.arm()
        self.end(5000)

    def end(self, wait_ms: "int", with_samples: "bool" = True) -> "bool":
        """Writes the end, once; False where its reader did not take all in that time. What waits 5 s is owed.

        Without `with_samples` the whole-life sampler's news wait for the next step.
        """
        outlet, spool = self.outlet, self.recorder.spool
        if not self._is_written:
            counters, m_ns = self.kernel.counters(), boottime_ns()
            if outlet.is_terminal:
                outlet.close()
            self._watch.finish(self._shown, self.options["step"], m_ns, counters, self.process.exit())
            self._is_written = True
        if outlet.pay(wait_ms) and spool and with_samples:
            flush(self.recorder, spool)
            outlet.pay(wait_ms)
        if outlet.waiting and outlet.fd >= 0 and not wait_ms:
            return False
        if spool:
            keep_owed(outlet, spool, self.recorder.sid)
        if self._mark:
            _quietly(posix.unlink, self.spool.path(self._mark))
        if not spool:
            self.spool.tidy()
        outlet.close()
        return True

    def let_go(self) -> "None":
        """Closes what a fork of ours has, too."""
        self.process.close()
        self.outlet.close()
        self.recorder.close()


class Watch:
    """A step under way: its samples, beats, peak, busiest processes, and its `own` load, where we know its process."""

    def __init__(
        self, recorder: "Recorder", kernel: "Kernel", step: "str", say: "Callable[[bytes], Any]"
    ) -> "None":
        self.recorder, self.kernel, self.step, self.say = recorder, kernel, step, say
        self.own = None  # type: OwnLoad | None
        hz = posix.sysconf("SC_CLK_TCK")
        self.processes = Processes(kernel.proc, hz, boottime_ns() * hz // 1000000000)
        self.start, self.start_ns = kernel.counters(), boottime_ns()
        self.series = Series(self.start_ns, self.start)
        self.points = self.series.points
        self.peak_kb = used_kb(self.start)
        self.load = Load(self.start_ns)
        self.stride_s = 0.0
        self.spent_s = 0.0  # CPU time of this process before, which is not for this step

    def until(self, over: "Callable[[float], bool]") -> "None":
        """Samples until `over(seconds)`, which waits so long, is true."""
        now = begun = time.monotonic()
        due = {self._sample: now + 0.25, self._beat: now + BEAT_S, self._scan: now + 2}
        if self.own is not None:
            due[self.own.look] = now + 0.1
        while not over(max(0.0, min(due.values()) - now)):
            now = time.monotonic()
            for act, at in due.items():
                if at <= now:
                    due[act] = now + act(now - begun)
            now = time.monotonic()

    def _sample(self, elapsed_s: "float") -> "float":
        counters, m_ns = self.kernel.counters(), boottime_ns()
        point = self.series.point(m_ns, counters)
        self._raise_peak(counters)
        self.load.add(m_ns, counters)
        if (point[0] or 0) - (self.points[-1][0] or 0) >= self.stride_s * 950:
            self.points.append(point)
        if len(self.points) >= SERIES_POINTS:
            self.points = self.points[::2]
            self.stride_s = max(self.stride_s * 2, elapsed_s / SERIES_POINTS * 2)
        return 0.25 if elapsed_s < 1 else 1.0 if elapsed_s < 1800 else 5.0

    def _raise_peak(self, counters: "dict[str, Any]") -> "None":
        self.peak_kb = max([kb for kb in (self.peak_kb, used_kb(counters)) if kb is not None], default=None)

    def _beat(self, elapsed_s: "float") -> "float":
        fields = {"c": self.kernel.counters(), "peak_kb": self.peak_kb}  # type: dict[str, Any]
        try:
            fields.update(self.own.now() if self.own is not None else {})
        except Exception:  # a beat without them is better than none
            pass
        self.recorder.emit("beat", fields, {"step": self.step}, may_wait=False)
        return max(BEAT_S, elapsed_s / 240)

    def _scan(self, elapsed_s: "float") -> "float":
        self.processes.scan()
        return max(10.0, elapsed_s / 100)

    def finish(self, shown: "str", name: "str", m_ns: "int", counters: "dict[str, Any]", ended: "Exit") -> "None":
        """Writes the end record, and the block of figures for people."""
        last = self.series.point(m_ns, counters)
        self._raise_peak(counters)
        seconds = (m_ns - self.start_ns) / 1e9
        if seconds > 2:
            self.processes.scan()
        exit_status, signal, source = ended
        own, load = self._own_fields(seconds), self.load.figures()
        fields = {
            "name": name or None, "c": counters, "exit": exit_status, "signal": signal, "exit_from": source,
            "peak_kb": self.peak_kb, "series": pack_columns(SERIES, [*self.points, last]),
            "procs": self.processes.busiest(), **({"tasks": load} if load else {}), **own,
            "cost": cost(self.recorder, self.kernel.proc, self.spent_s),
        }  # fmt: skip
        self.recorder.emit("end", fields, {"step": self.step}, last=True)
        if not self.recorder.has_block:
            return
        figures = metrics(self.start, counters, seconds, self.peak_kb, load)
        if "own" in own:
            figures.update(own_figures(own["own"], seconds, (counters.get("cpus") or [None])[0]))
        is_sampled = own.get("cmds", {}).get("from") == "sampled"
        self.say(end_block(shown, figures, further_lines(figures, exit_status, is_sampled)).encode())


    def _own_fields(self, seconds: "float") -> "dict[str, Any]":
        try:
            return {} if self.own is None else self.own.fields(seconds > 0.1)
        except Exception:  # an end without them is better than none
            return {}


def further_lines(
    figures: "dict[str, Any]", exit_status: "int | None", is_sampled: "bool" = False
) -> "Iterator[tuple[str, str]]":
    """Our own lines under the original's eight, which are of the whole machine. `is_sampled`: its own load is."""
    if "memory_peak_mb" in figures:
        yield "Peak Memory", "%dMB" % round(figures["memory_peak_mb"])
    stalls = [(kind, figures.get("psi_%s_some_percent" % kind)) for kind in ("cpu", "memory", "io")]
    if any(value is not None for _, value in stalls):
        yield "Pressure", ", ".join(["%s=%d%%" % (kind, round(value)) for kind, value in stalls if value is not None])
    if any(name[:4] == "own_" for name in figures):
        yield "Step's own", own_words(figures, is_sampled)
    if exit_status is not None:
        yield "Exit", str(exit_status)


def cost(recorder: "Recorder", proc: "str", spent_s: "float" = 0.0) -> "dict[str, int | None]":
    """What this process has used until now, but for CPU time that it had `spent_s` before."""
    status = read_file(proc + "/self/status", 8192)
    return {
        "cpu_ms": int((time.process_time() - spent_s) * 1000),
        "rss_kb": _number_after(status, b"VmHWM:"),
        "bytes": recorder.bytes,
    }


# === Loaded later ===

# --- Accounts of commands ---------------------------------------------------------------------------

SHORT_S = 0.1  # neighbours on the time line that are shorter become one row
MOST_NAMES = 400
MOST_STRETCHES = 120  # kept of one process's children while it lives
MOST_ROWS = 40
MOST_OWN, MOST_OTHERS = 10, 4
ROOM_BYTES = 2800
AS_TOLD = (0.0, 1.0)  # no correction of CPU time
# Programs that do nothing but run others: what they ran is shown instead of them.
WRAPPERS = (
    "sh", "bash", "dash", "ash", "busybox", "ksh", "ksh93", "mksh", "zsh", "fish", "csh", "tcsh", "sudo", "su", "doas",
    "env", "nice", "ionice", "nohup", "timeout", "setsid", "setpriv", "runuser", "chroot", "unshare", "time", "stdbuf",
)  # fmt: skip
# What commands of one name used.
COUNT, RUN_NS, TICKED_NS, READ, WRITTEN, LONGEST_S, DELAY_NS, RESIDENT_KB, MORE_NS = range(9)
SUMS = (COUNT, RUN_NS, TICKED_NS, READ, WRITTEN, DELAY_NS, RESIDENT_KB, MORE_NS)


class Commands:
    """What the commands of each name used, of a bounded number of names; the rest has the name ''."""

    def __init__(self, since_s: "float" = 0.0) -> "None":
        self.used, self.since_s = {}, since_s  # type: dict[str, list[Any]], float

    def add(self, task: "Task") -> "None":
        """One more that ended."""
        row = self._row(command_name(task.name))
        row[COUNT] += 1
        row[RUN_NS] += task.run_ns
        row[TICKED_NS] += task.ticked_ns
        row[RESIDENT_KB] += task.resident_kb
        if task.read is not None:
            row[READ] = (row[READ] or 0) + task.read
            row[WRITTEN] = (row[WRITTEN] or 0) + (task.written or 0)
        if task.delay_ns is not None:
            row[DELAY_NS] = (row[DELAY_NS] or 0) + task.delay_ns
        row[LONGEST_S] = max(row[LONGEST_S], task.length_s)

    def merge(self, other: "Commands") -> "None":
        """All that the other has."""
        for name, more in other.used.items():
            row = self._row(name)
            for at in SUMS:
                row[at] = _sum(row[at], more[at])
            row[LONGEST_S] = max(row[LONGEST_S], more[LONGEST_S])

    def total(self, at: "int") -> "int | None":
        """The sum of one number over all names."""
        total = None  # type: int | None
        for row in self.used.values():
            total = _sum(total, row[at])
        return total

    def cpu_ns(self) -> "int":
        """CPU time of all."""
        return sum([_cpu_ns(row) for row in self.used.values()])

    def correct(self, lacking_ns: "int") -> "tuple[float, float]":
        """Divides CPU time that all together lack, or have too much.

        What they lack is their ends, when memory is freed: divided by each one's memory. What they have too much is by
        ticks: they have less of what ticks say beyond run time. Gives ns for each kB, and how much of ticks counts.
        """
        resident_kb = self.total(RESIDENT_KB) or 0
        beyond_ns = sum([max(row[TICKED_NS] - row[RUN_NS], 0) for row in self.used.values()])
        by_kb = lacking_ns / resident_kb if lacking_ns > 0 and resident_kb else 0.0
        share = max(1 + lacking_ns / beyond_ns, 0.0) if lacking_ns < 0 and beyond_ns else 1.0
        for row in self.used.values():
            row[MORE_NS] += int(by_kb * row[RESIDENT_KB] - (1 - share) * max(row[TICKED_NS] - row[RUN_NS], 0))
        return by_kb, share

    def add_unseen(self, all_ns: "int") -> "None":
        """What of the CPU time of all no command has: of those that no look saw."""
        unseen_ns = all_ns - self.cpu_ns()
        if unseen_ns > 0:
            self._row("")[RUN_NS] += unseen_ns

    def busiest(self, count: "int") -> "list[list[Any]]":
        """`[[name, count, cpu_s, io_mb, longest_s, delay_s], …]`: by CPU, two by I/O; last the rest, named ''."""
        moved = {name: (row[READ] or 0) + (row[WRITTEN] or 0) for name, row in self.used.items()}
        names = sorted([name for name in self.used if name], key=lambda name: (-_cpu_ns(self.used[name]), name))
        by_io = sorted(names[count - 2 :], key=lambda name: -moved[name])[:2]
        by_io = [name for name in by_io if moved[name] >= MB or name in names[:count]]
        first = [name for name in names if name not in by_io][: count - len(by_io)]
        chosen = [name for name in names if name in first or name in by_io]
        rest = Commands()
        for name in self.used:
            if name not in chosen:
                one = Commands()
                one.used[""] = self.used[name]
                rest.merge(one)
        return [_shown_row(name, self.used[name]) for name in chosen] + [
            _shown_row("", row) for row in rest.used.values()
        ]

    def _row(self, name: "str") -> "list[Any]":
        row = self.used.get(name)
        if row is None:
            name = name if len(self.used) < MOST_NAMES else ""
            row = self.used.setdefault(name, [0, 0, 0, None, None, 0.0, None, 0, 0])
        return row


def _cpu_ns(row: "list[Any]") -> "int":
    return int(max(row[RUN_NS], row[TICKED_NS]) + row[MORE_NS])


def _shown_row(name: "str", row: "list[Any]") -> "list[Any]":
    moved = None if row[READ] is None else round((row[READ] + row[WRITTEN]) / MB, 1)
    delay_s = None if row[DELAY_NS] is None else round(row[DELAY_NS] / 1e9, 3)
    return [name, row[COUNT], round(_cpu_ns(row) / 1e9, 3), moved, round(row[LONGEST_S], 3), delay_s]


def _sum(one: "int | None", other: "int | None") -> "int | None":
    return one if other is None else other if one is None else one + other


def command_name(raw: "bytes", known: "dict[bytes, str]" = {}) -> "str":  # noqa: B006  (the same come again and again)
    """The name of a command as text that can be printed; never ''."""
    found = known.get(raw)
    if found is None:
        found = clean_name(raw.decode("utf-8", "replace")) or "?"
        if len(known) < 5000:
            known[raw] = found
    return found


class Stretch:
    """One child of a process on its time line, or neighbours that are short."""

    __slots__ = ("codes", "end_s", "inner", "names", "pid", "resident_kb", "run_ns", "start_s", "ticked_ns")

    def __init__(self, task: "Task", below: "Commands | None", inner: "Line | None") -> "None":
        self.start_s, self.end_s, self.pid = task.ended_s - task.length_s, task.ended_s, task.pid
        self.run_ns, self.ticked_ns, self.resident_kb = task.run_ns, task.ticked_ns, task.resident_kb
        for row in below.used.values() if below is not None else ():
            self.run_ns, self.ticked_ns = self.run_ns + row[RUN_NS], self.ticked_ns + row[TICKED_NS]
            self.resident_kb += row[RESIDENT_KB]
        self.names, self.codes = {command_name(task.name): 1}, {task.code}
        self.inner = inner if task.length_s >= SHORT_S else None

    def is_before(self, other: "Stretch") -> "bool":
        """Whether it began before the other: by their numbers where the times, which are heard, are too close."""
        if abs(self.start_s - other.start_s) < 2 * BATCH_S and abs(self.pid - other.pid) < 1000:
            return self.pid < other.pid
        return self.start_s < other.start_s

    def is_short(self) -> "bool":
        """Whether it may take in a short neighbour."""
        return self.count() > 1 or self.end_s - self.start_s < SHORT_S

    def count(self) -> "int":
        """How many commands it is."""
        return sum(self.names.values())

    def take(self, other: "Stretch") -> "None":
        """A short neighbour."""
        for name, count in other.names.items():
            known = name if name in self.names or len(self.names) < 20 else ""
            self.names[known] = self.names.get(known, 0) + count
        self.start_s, self.end_s = min(self.start_s, other.start_s), max(self.end_s, other.end_s)
        self.run_ns, self.ticked_ns = self.run_ns + other.run_ns, self.ticked_ns + other.ticked_ns
        self.resident_kb += other.resident_kb
        self.codes |= other.codes

    def cpu_s(self, corrected: "tuple[float, float]") -> "float":
        """Its CPU time and its descendants', `corrected` as `Commands.correct` says."""
        beyond_ns = max(self.ticked_ns - self.run_ns, 0) * corrected[1]
        return round((self.run_ns + beyond_ns + corrected[0] * self.resident_kb) / 1e9, 3)

    def row(self, zero_s: "float", corrected: "tuple[float, float]") -> "list[Any]":
        """`[name, count, start_s, length_s, cpu_s, exit status]`; of several names the most frequent, and `…`."""
        name = max(self.names, key=lambda name: (self.names[name], name))
        name = name if len(self.names) == 1 else name + " …"
        failed = sorted([code for code in self.codes if code])
        code = failed[-1] if failed else None if None in self.codes else 0
        status = None if code is None else exit_of(code, None)[0]
        return [
            name, self.count(), round(max(self.start_s - zero_s, 0.0), 2), round(self.end_s - self.start_s, 3),
            self.cpu_s(corrected), status,
        ]  # fmt: skip


class Line:
    """The children of a process in the order in which they ended, the longest of them."""

    def __init__(self) -> "None":
        self.stretches = []  # type: list[Stretch]
        self.left_out, self.left_s = 0, 0.0

    def add(self, one: "Stretch") -> "None":
        """One more that ended."""
        if not self.stretches or not one.is_short() or not self.stretches[-1].is_short():
            self.stretches.append(one)
        else:
            self.stretches[-1].take(one)
        if len(self.stretches) > MOST_STRETCHES:
            self.cut(MOST_STRETCHES // 2)

    def cut(self, count: "int") -> "None":
        """Keeps so many, the longest."""
        longest = sorted(self.stretches, key=lambda one: one.start_s - one.end_s)
        for one in longest[count:]:
            self.left_out += one.count()
            self.left_s += one.cpu_s(AS_TOLD)
        kept = set(longest[:count])
        self.stretches = [one for one in self.stretches if one in kept]

    def inside(self, least_s: "float") -> "Line":
        """This, or the line of the one child that ran all others and took at least so long."""
        line = self
        while line.stretches:
            longest = max(line.stretches, key=lambda one: one.end_s - one.start_s)
            if longest.inner is None or longest.end_s - longest.start_s < least_s:
                break
            line = longest.inner
        return line

    def rows(self, zero_s: "float", corrected: "tuple[float, float]") -> "list[list[Any]]":
        """In order of their starts, the longest that there is room for; last what is left out, without a start."""
        self._order()
        self.cut(MOST_ROWS)
        while True:
            rows = [one.row(zero_s, corrected) for one in self.stretches]
            rest = [["", self.left_out, None, None, round(self.left_s, 3), None]] if self.left_out else []
            if len(dumps(rows)) <= ROOM_BYTES:
                return rows + rest
            self.cut(len(self.stretches) * 3 // 4)

    def _order(self) -> "None":
        """Puts them in the order of their starts: news of several CPUs come in none, and some microseconds late."""
        ordered, self.stretches = sorted(self.stretches, key=lambda one: one.start_s), []
        for last in range(1, len(ordered)):
            at = last
            while at and ordered[at].is_before(ordered[at - 1]):
                ordered[at - 1 : at + 1] = ordered[at], ordered[at - 1]
                at -= 1
        for one, other in list(zip(ordered, ordered[1:]))[::-1]:
            late_s = max(one.start_s - other.start_s, 0.0)
            one.start_s, one.end_s = one.start_s - late_s, one.end_s - late_s
        for one in ordered:
            if not self.stretches or not one.is_short() or not self.stretches[-1].is_short():
                self.stretches.append(one)
            else:
                self.stretches[-1].take(one)


def is_wrapper(name: "str") -> "bool":
    """Whether a program does nothing but run others: a shell, a script, sudo."""
    return name in WRAPPERS or name.endswith(".sh") or name.startswith("script_")


def _is_later(task: "Task", seen_s: "float") -> "bool":
    """Whether a process began after something was seen under its number."""
    return task.ended_s - task.length_s > seen_s + LATE_S


class Account:
    """What ended in a step, below its process `pid` and elsewhere in the machine.

    A process that ended is filed under its parent; when that ends, all that was filed there goes to its own parent.
    """

    def __init__(self, pid: "int", not_ours: "Collection[int]" = ()) -> "None":
        self.pid, self.began_s = pid, time.monotonic()
        self.shell = None  # type: Task | None
        self.adopted = {}  # type: dict[int, Relative]
        self._left_out = set(not_ours)
        self._below = {}  # type: dict[int, Commands]
        self._lines = {}  # type: dict[int, Line]

    def add(self, tasks: "Iterable[Task]") -> "None":
        """More that ended, children before their parents."""
        for task in tasks:
            if task.pid in self._left_out:
                self._left_out.discard(task.pid)  # another may get its number
                continue
            is_orphan = self._is_orphan(task)
            parent = self.pid if is_orphan else task.parent
            below, line = self._filed(task)
            if task.pid == self.pid:
                self.shell = task
                if line is not None:
                    self._lines[0] = line
                parent = 0  # its own and its descendants': under a number that no process has
            home = self._below.get(parent)
            if home is None:
                home = self._below[parent] = Commands(task.ended_s)
            home.add(task)
            if below is not None:
                home.merge(below)
            if parent and not is_orphan:
                self._place(task, parent, below, line)

    def _is_orphan(self, task: "Task") -> "bool":
        """Whether it was seen in the step's tree, and its parent has ended."""
        seen = self.adopted.get(task.pid)
        return seen is not None and task.parent not in self.adopted and not _is_later(task, seen.seen_s)

    def _filed(self, task: "Task") -> "tuple[Commands | None, Line | None]":
        """What was filed under a process that ended; not what was filed under the one that had its number before."""
        below, line = self._below.pop(task.pid, None), self._lines.pop(task.pid, None)
        if below is None or not _is_later(task, below.since_s):
            return below, line
        self._below.setdefault(-1, Commands()).merge(below)
        return None, None

    def _place(self, task: "Task", parent: "int", below: "Commands | None", inner: "Line | None") -> "None":
        line = self._lines.get(parent)
        if line is None:
            line = self._lines[parent] = Line()
        is_most = inner is not None and task.length_s * 2 >= task.ended_s - self.began_s
        line.add(Stretch(task, below, inner if is_most and is_wrapper(command_name(task.name)) else None))

    def divided(self) -> "tuple[Commands, Commands]":
        """What ended in the step's tree, and what ended elsewhere."""
        own, others = Commands(), Commands()
        for parent, commands in self._below.items():
            (own if parent in (0, self.pid) or parent in self.adopted else others).merge(commands)
        return own, others

    def line(self, corrected: "tuple[float, float]") -> "list[list[Any]]":
        """The time line inside the step: the children of its process, or of the one that ran everything."""
        line = self._lines.get(0) or self._lines.get(self.pid) or Line()
        return line.inside((time.monotonic() - self.began_s) / 2).rows(self.began_s, corrected)


# --- What a quiet step waits for ----------------------------------------------------------------------

# Beginnings of the names of the kernel's functions in which a process sleeps (/proc/PID/wchan, Linux 4.18 to 6.18), and
# what it waits for; `runs`: for no other process. `socket` and `poll` are told apart by its sockets. What is not here
# is `other`, told by its name.
WCHANS = (
    ("hrtimer_nanosleep", "sleep"), ("do_nanosleep", "sleep"), ("common_nsleep", "sleep"),
    ("locks_lock_inode_wait", "lock"), ("flock_lock_inode_wait", "lock"), ("posix_lock_inode_wait", "lock"),
    ("do_lock_file_wait", "lock"), ("fcntl_setlk", "lock"), ("n_tty_read", "user"), ("unix_", "daemon"),
    ("wait_woken", "socket"), ("sk_wait_data", "socket"), ("inet_stream_connect", "socket"),
    ("__inet_stream_connect", "socket"), ("inet_wait_for_connect", "socket"), ("__skb_wait_for", "socket"),
    ("poll_schedule_timeout", "poll"), ("do_poll", "poll"), ("do_sys_poll", "poll"), ("do_select", "poll"),
    ("ep_poll", "poll"), ("do_epoll_wait", "poll"), ("do_wait", "runs"), ("kernel_clone", "runs"), ("_do_fork", "runs"),
)  # fmt: skip
# Of several processes that wait the first of these is told.
WAIT_KINDS = ("lock", "silent", "remote", "user", "daemon", "sleep", "other")
RUNS = "runs"  # it waits for no other process: its input is there, or it has just begun a child
MOST_WAITS = 50
MOST_THREADS = 64
SOCKETS_EVERY_S = 5.0  # /proc/net/tcp walks a table of all buckets: some milliseconds
SYN_SENT, ESTABLISHED, CLOSE_WAIT = b"02", b"01", b"08"
LOOPBACK = (b"0100007F", b"00000000000000000000000001000000", b"0000000000000000FFFF00000100007F")


class Waits:
    """What the processes of a step without children waited for, look by look; none where one of them runs."""

    def __init__(self) -> "None":
        self._rows, self._last_s = [], time.monotonic()  # type: list[list[Any]], float
        self._sockets = {}  # type: dict[int, tuple[float, str]]

    def look(self, tree: "Tree") -> "None":
        """Notes what they wait for now, as of the time since the last look."""
        since_s, now_s = self._last_s, time.monotonic()
        self._last_s = now_s
        told = self._of(tree, now_s)
        if told is None:
            return
        last = self._rows[-1] if self._rows else None
        if last is not None and last[2:] == list(told) and since_s - last[1] < 0.05:
            last[1] = now_s
        else:
            self._rows.append([since_s, now_s, *told])
        if len(self._rows) > MOST_WAITS:
            self._rows.remove(min(self._rows, key=lambda row: row[1] - row[0]))

    def now(self) -> "list[Any]":
        """`[length_s, kind, command, holder]` of what they waited for at the last look; [] where one of them ran."""
        row = self._rows[-1] if self._rows else None
        return [round(row[1] - row[0], 2), *row[2:]] if row is not None and row[1] == self._last_s else []

    def rows(self, zero_s: "float") -> "list[list[Any]]":
        """`[[start_s, length_s, kind, command, holder], …]`, starts counted from `zero_s`.

        `holder` is who holds a lock; of `other` it is the kernel's function.
        """
        return [[round(max(row[0] - zero_s, 0.0), 2), round(row[1] - row[0], 2), *row[2:]] for row in self._rows]

    def _of(self, tree: "Tree", now_s: "float") -> "tuple[str, str, str] | None":
        parents = {one.parent for one in tree.known.values()}
        leaves = [(pid, one) for pid, one in tree.known.items() if pid not in parents and one.state not in b"ZX"]
        if any(one.state in b"RD" or (one.threads > 1 and thread_runs(pid)) for pid, one in leaves):
            return None
        known = []
        for pid, one in leaves:
            wchan = clean_name(read_file("/proc/%d/wchan" % pid, 128).decode("ascii", "replace"))
            kind = self._kind(wchan, pid, now_s) if wchan and wchan != "0" else ""  # 0: hidden, or it runs
            if kind == RUNS:
                return None
            if kind:
                known.append((WAIT_KINDS.index(kind), -pid, one, wchan))
        if not known:
            return None
        place, negative, one, wchan = min(known, key=lambda row: row[:2])
        kind = WAIT_KINDS[place]
        holder = lock_holder(-negative) if kind == "lock" else wchan if kind == "other" else ""
        return kind, command_name(one.name), holder

    def _kind(self, wchan: "str", pid: "int", now_s: "float") -> "str":
        kind = next((kind for start, kind in WCHANS if wchan.startswith(start)), "other")
        if kind not in ("socket", "poll"):
            return kind
        looked_s, told = self._sockets.get(pid, (0.0, ""))
        if now_s - looked_s >= SOCKETS_EVERY_S:
            told = kind_by_sockets(pid)
            self._sockets = {pid: (now_s, told)}
        return told


def thread_runs(pid: "int") -> "bool":
    """Whether a thread of a process runs, or waits for a disk: the process's own state is that of its main thread."""
    folder = "/proc/%d/task" % pid
    for thread in _listed(folder)[:MOST_THREADS]:
        try:
            if stat_fields("%s/%s" % (folder, thread))[0] in (b"R", b"D"):
                return True
        except (OSError, IndexError):
            pass
    return False


def kind_by_sockets(pid: "int") -> "str":
    """What a process waits for that sleeps in a socket or a poll, by its open files: of WAIT_KINDS, or RUNS."""
    folder, links = "/proc/%d/" % pid, {}
    for fd in _listed(folder + "fd"):
        try:
            links[fd] = posix.readlink(folder + "fd/" + fd)
        except OSError:
            pass
    inodes = {link[8:-1].encode() for link in links.values() if link.startswith("socket:[")}
    if not inodes:
        return "user" if links.get("0", "").startswith(("/dev/pts/", "/dev/tty", "/dev/console")) else "other"
    rows = _rows_of_sockets(folder + "net/tcp", inodes) + _rows_of_sockets(folder + "net/tcp6", inodes)
    if any(row[3] == SYN_SENT for row in rows):
        return "silent"
    talking = [row for row in rows if row[3] == ESTABLISHED]
    if any(row[3] in (ESTABLISHED, CLOSE_WAIT) and row[4].partition(b":")[2].strip(b"0") for row in rows):
        return RUNS
    if talking:
        return "daemon" if all(row[2].partition(b":")[0] in LOOPBACK for row in talking) else "remote"
    if _rows_of_sockets(folder + "net/udp", inodes) or _rows_of_sockets(folder + "net/udp6", inodes):
        return "silent"
    return "daemon" if _rows_of_sockets(folder + "net/unix", inodes, 6) else "other"


def _rows_of_sockets(path: "str", inodes: "Collection[bytes]", at: "int" = 9) -> "list[list[bytes]]":
    rows = [line.split() for line in read_file(path).splitlines()[1:]]
    return [row for row in rows if len(row) > at and row[at] in inodes]


def lock_holder(pid: "int") -> "str":
    """The command that holds the file lock that a process waits for, by /proc/locks; '' where that does not tell."""
    holders = {}  # type: dict[bytes, bytes]
    for line in read_file("/proc/locks").splitlines():
        words = line.split()
        is_waiting = words[1:2] == [b"->"]
        if is_waiting and words[5:6] == [str(pid).encode()]:
            name = read_file("/proc/%s/comm" % holders.get(words[0], b"0").decode(), 64).strip()
            return command_name(name) if name else ""
        if not is_waiting and len(words) > 4:
            holders[words[0]] = words[4]
    return ""


# --- The processes of a step, by looking at them now and then ----------------------------------------


class Relative:
    """A process of a step's tree as it was last seen; `waited_ticks` are those of the children that it waited for."""

    __slots__ = (
        "anonymous", "birth", "moved", "name", "own_ticks", "parent", "seen_s", "state", "threads", "waited_ticks",
    )  # fmt: skip

    def __init__(self, text: "bytes", folder: "str", seen_s: "float") -> "None":
        opened, closed = text.find(b"("), text.rfind(b")")
        fields = text[closed + 2 :].split(None, 20)
        self.name, self.parent, self.birth, self.seen_s = text[opened + 1 : closed], int(fields[1]), fields[19], seen_s
        self.state, self.threads = fields[0], int(fields[17])
        self.own_ticks, self.waited_ticks = int(fields[11]) + int(fields[12]), int(fields[13]) + int(fields[14])
        io = read_file(folder + "/io", 1024)
        numbers = [_number_after(io, key) for key in (b"read_bytes: ", b"write_bytes: ", b"cancelled_write_bytes: ")]
        known = [number for number in numbers if number is not None]
        self.moved = (known[0], max(known[1] - known[2], 0)) if len(known) == 3 else None
        pages = read_file(folder + "/statm", 256).split()
        self.anonymous = int(pages[1]) - int(pages[2]) if len(pages) > 2 else 0


class Tree:
    """The tree of a process: CPU, I/O and memory, with what was used by children that were waited for.

    Times by the clock of `starttime` in /proc/PID/stat, which counts from the boot.
    """

    def __init__(self, pid: "int", proc: "str" = "/proc") -> "None":
        self.pid, self._proc = pid, proc
        self.hz, self._page_kb = posix.sysconf("SC_CLK_TCK"), posix.sysconf("SC_PAGE_SIZE") // 1024
        self.known = {}  # type: dict[int, Relative]
        self.peak_kb = None  # type: int | None
        self._gone_ticks, self._most_ticks, self._last_s = 0, 0, 0.0
        self._gone_moved, self._most_moved = [0, 0], None  # type: list[int], list[int] | None

    def look(self) -> "list[Task]":
        """Sees what is there now; gives what was there before and is not any more, children before their parents."""
        now_s, found = time.monotonic(), {}  # type: float, dict[int, Relative]
        waiting = [(self.pid, False), *[(pid, False) for pid in self.known]]
        for pid, is_child in waiting:
            one = self._seen(pid, now_s) if pid not in found and pid != posix.getpid() else None
            before = self.known.get(pid)
            if one is None or (before is not None and not is_child and before.birth != one.birth):
                continue
            found[pid] = one
            waiting += [(child, True) for child in self._children(pid)]
        ended = [self._task(pid, one, now_s) for pid, one in self.known.items() if not _is_same(found.get(pid), one)]
        self._count(found)
        self.known, self._last_s = found, now_s
        return ended[::-1]

    def last(self) -> "list[Task]":
        """What is there still, as if it ended now; children before their parents."""
        return [self._task(pid, one, self._last_s) for pid, one in self.known.items()][::-1]

    def living_ns(self, ended: "Collection[int]" = ()) -> "int":
        """CPU time of those that ran at the last look and have not `ended` since, without their children's."""
        ticks = [one.own_ticks for pid, one in self.known.items() if one.state not in b"ZX" and pid not in ended]
        return sum(ticks) * 1000000000 // self.hz

    def cpu_s(self) -> "float | None":
        """CPU time of all, of those that were waited for, too; None where nothing was seen."""
        return self._most_ticks / self.hz if self.peak_kb is not None else None

    def moved(self) -> "list[int] | None":
        """Bytes read and written by all; None where we may not see them."""
        return self._most_moved

    def _seen(self, pid: "int", now_s: "float") -> "Relative | None":
        folder = "%s/%d" % (self._proc, pid)
        try:
            return Relative(read_file(folder + "/stat", 4096), folder, now_s)
        except (IndexError, ValueError):
            return None

    def _children(self, pid: "int") -> "list[int]":
        folder = "%s/%d/task" % (self._proc, pid)
        text = b"".join([read_file("%s/%s/children" % (folder, task)) for task in _listed(folder)])
        return [int(word) for word in text.split()]

    def _count(self, found: "dict[int, Relative]") -> "None":
        for pid, one in self.known.items():
            if not _is_same(found.get(pid), one) and not self._is_inherited(one, found):
                self._gone_ticks += one.own_ticks + one.waited_ticks
                self._gone_moved = [old + new for old, new in zip(self._gone_moved, one.moved or (0, 0))]
        alive = list(found.values())
        ticks = sum([one.own_ticks + one.waited_ticks for one in alive]) + self._gone_ticks
        self._most_ticks = max(self._most_ticks, ticks)
        moved = [one.moved for one in alive if one.moved is not None]
        if moved:
            sums = [sum(parts) + gone for parts, gone in zip(zip(*moved), self._gone_moved)]
            self._most_moved = [max(pair) for pair in zip(sums, self._most_moved or sums)]
        if alive:
            self.peak_kb = max(self.peak_kb or 0, sum([one.anonymous for one in alive]) * self._page_kb)

    def _is_inherited(self, one: "Relative", found: "dict[int, Relative]") -> "bool":
        """Whether one that is not there any more was waited for by one that is."""
        for _generation in range(64):
            if one.parent in found:
                return True
            if one.parent not in self.known:
                return False
            one = self.known[one.parent]
        return False

    def _task(self, pid: "int", one: "Relative", now_s: "float") -> "Task":
        """A process as a task that ended between two looks."""
        ended_s = (one.seen_s + now_s) / 2
        length_s = ended_s - (time.monotonic() - boottime_ns() / 1e9) - int(one.birth) / self.hz
        task = Task(pid, one.parent, one.name, max(length_s, 0.0), ended_s)
        task.run_ns = one.own_ticks * 1000000000 // self.hz
        return task


def _is_same(one: "Relative | None", other: "Relative") -> "bool":
    return one is not None and one.birth == other.birth


# --- A step's own load -------------------------------------------------------------------------------

FREE_S = 0.05  # CPU time of a step's looks; of more than that a hundredth of the step's time


class OwnLoad:
    """What a step's own processes used, apart from the rest of the machine; exact if the kernel tells of each end."""

    def __init__(self, process: "Process") -> "None":
        self._process, self._tree, self._waits = process, Tree(process.pid), Waits()
        self._ended = []  # type: list[int]  # since the last look
        self._used, self._used_s = {}, time.monotonic()  # type: dict[str, float], float  # CPU seconds, at the last beat
        self._lacking_ns = 0  # what all messages until the last look lack of the CPU time of the tree
        self._spent_s = 0.0  # CPU time, not the clock's: on a busy machine a look takes long and costs no more

    def look(self, elapsed_s: "float") -> "float":
        """Looks at the tree of the step; gives the seconds until the next look."""
        process, tree, begun_s = self._process, self._tree, time.process_time()
        ended = tree.look()
        process.account.adopted = tree.known
        if process.tasks is None:
            process.account.add(ended)
        elif tree.pid in tree.known:
            told_ns = tree.living_ns([task.pid for task in process.take()])
            told_ns += process.account.divided()[0].cpu_ns()
            self._lacking_ns = int((tree.cpu_s() or 0) * 1e9) - told_ns
        self._waits.look(tree)
        usual_s = max(0.1, elapsed_s / 20) if process.tasks is None or elapsed_s < 1 else 1.0
        self._spent_s += time.process_time() - begun_s
        return max(min(usual_s, 1.0), (self._spent_s - FREE_S) * 100 - elapsed_s)

    def now(self) -> "dict[str, list[Any]]":
        """What a beat tells: the busiest command since the last one, and what the step waits for now."""
        self.look(0.0)
        since_s, self._used_s = self._used_s, time.monotonic()
        used = {name: _cpu_ns(row) / 1e9 for name, row in self._process.account.divided()[0].used.items()}
        for one in self._tree.known.values():
            name = command_name(one.name)
            used[name] = used.get(name, 0.0) + one.own_ticks / self._tree.hz
        grown = {name: cpu_s - self._used.get(name, 0.0) for name, cpu_s in used.items()}
        self._used = used
        most = max(grown, key=lambda name: grown[name], default="")
        busy = [most, round(grown[most], 2), round(self._used_s - since_s, 2)] if most and grown[most] >= 0.05 else []
        wait = self._waits.now()
        return {name: row for name, row in (("busy", busy), ("wait", wait)) if row}

    def fields(self, with_look: "bool") -> "dict[str, Any]":
        """Those of the end record; none of what nothing is known of."""
        account, tree, tasks = self._process.account, self._tree, self._process.tasks
        if with_look:
            self.look(0.0)
        if tasks is not None:
            last = tasks.take() + (tasks.settle() if with_look else [])
            account.add(last)
            self._ended = [task.pid for task in last]
        elif tree.cpu_s() is not None:
            account.add(tree.last())
        else:
            return {}
        own, others = account.divided()
        if tasks is None:
            own.add_unseen(int((tree.cpu_s() or 0) * 1e9))
        corrected = own.correct(self._lacking_ns)
        numbers = self._numbers(own)
        commands = {"from": "taskstats" if tasks else "sampled", "own": own.busiest(MOST_OWN)}  # type: dict[str, Any]
        if tasks is not None:
            commands.update(others=others.busiest(MOST_OTHERS), lost=self._process.lost())
        more = {"inside": account.line(corrected), "waits": self._waits.rows(account.began_s)}
        return {"own": numbers, "cmds": commands, **{name: rows for name, rows in more.items() if rows}}

    def _numbers(self, own: "Commands") -> "dict[str, int]":
        tree = self._tree
        cpu_s = tree.cpu_s()
        if self._process.tasks is not None:
            cpu_s = (own.cpu_ns() + tree.living_ns(self._ended)) / 1e9
        moved, seen = [own.total(READ), own.total(WRITTEN)], tree.moved() or (None, None)
        pairs = [[number for number in pair if number is not None] for pair in zip(moved, seen)]
        found = {
            "cpu_ms": None if cpu_s is None else int(cpu_s * 1000),
            "read_kb": max(pairs[0]) // 1024 if pairs[0] else None,
            "write_kb": max(pairs[1]) // 1024 if pairs[1] else None,
            "peak_kb": tree.peak_kb,
        }
        return {name: number for name, number in found.items() if number is not None}


def own_figures(own: "dict[str, int]", seconds: "float", cpus: "int | None") -> "dict[str, float | int]":
    """The figures of a step's own load (docs/format.md, 2.1) by the field `own` of its end record.

    `cpus` are the machine's, so that `own_cpu_percent` stands beside `cpu_percent`.
    """
    cpu_ms = own.get("cpu_ms")
    found = {
        "own_cpu_s": None if cpu_ms is None else cpu_ms / 1000,
        "own_cpu_percent": _ratio(cpu_ms, seconds * (cpus or 0), 0.1),
        "own_memory_peak_mb": _ratio(own.get("peak_kb"), 1024),
        "own_disk_read_mb": _ratio(own.get("read_kb"), 1024),
        "own_disk_write_mb": _ratio(own.get("write_kb"), 1024),
    }
    digits = {"own_cpu_s": 3, "own_disk_read_mb": 2, "own_disk_write_mb": 2}
    return {name: round(number, digits.get(name, 1)) for name, number in found.items() if number is not None}


def own_words(figures: "dict[str, Any]", is_sampled: "bool") -> "str":
    """A step's own load for people; '' where it is not known."""
    shown = (
        ("own_cpu_s", "CPU %.1fs"), ("own_memory_peak_mb", "memory %.0fMB"), ("own_disk_read_mb", "read %.0fMB"),
        ("own_disk_write_mb", "write %.0fMB"),
    )  # fmt: skip
    words = ", ".join([text % figures[name] for name, text in shown if name in figures])
    return words + " (sampled)" if words and is_sampled else words


# --- Accounts of the whole life, by interval ----------------------------------------------------------

MOST_OF_INTERVAL = 8


class LifeAccount:
    """What ended in the machine in each interval of the whole-life sampler, but for what the records of a step have."""

    def __init__(self, kept: "LifeFile") -> "None":
        self.kept, self.tasks = kept, Tasks.opened()
        self._commands, self._since_ms, self._lost = Commands(), boottime_ns() // 1000000, 0
        self._served, self._covering = [], []  # type: list[str], list[str]

    def take(self) -> "None":
        """Takes what has ended until now."""
        for task in self.tasks.take() if self.tasks is not None else ():
            self._commands.add(task)

    def begin(self, step: "Step") -> "None":
        """From now on the step takes what ends; what ended before it began is kept."""
        began_s = step.process.account.began_s
        for task in self.tasks.take() if self.tasks is not None else ():
            if task.ended_s - task.length_s >= began_s or task.parent == step.process.pid:
                step.process.account.add([task])
            else:
                self._commands.add(task)
        self.close()

    def served(self, mark: "str") -> "None":
        """A fork takes accounts of a step as long as its mark is there."""
        self._served.append(mark)

    def close(self) -> "None":
        """Ends an interval."""
        if self.tasks is None:
            return
        now_ms, commands = boottime_ns() // 1000000, self._commands
        is_covered = any(_exists(mark) for mark in self._covering)
        self._served = self._covering = [mark for mark in self._served if _exists(mark)]
        if commands.used and not is_covered:
            self.kept.note(interval_to_text(self._since_ms, now_ms, self.tasks.lost - self._lost, commands))
        self._commands, self._since_ms, self._lost = Commands(), now_ms, self.tasks.lost


def interval_to_text(from_ms: "int", to_ms: "int", lost: "int", commands: "Commands") -> "str":
    """A line of a sample file: `c`, both ends, messages lost, and six words for each command."""
    words = ["c", str(from_ms), str(to_ms), str(lost)]
    for row in commands.busiest(MOST_OF_INTERVAL):
        words += [row[0], *["-" if number is None else "%g" % number for number in row[1:]]]
    return "\t".join(words)


def interval_from_text(line: "str") -> "list[Any]":
    """`[from_ms, to_ms, lost, [name, count, cpu_s, io_mb, longest_s, delay_s], …]` of such a line."""
    words = line.split("\t")
    rows = [[words[at], *map(_numeral, words[at + 1 : at + 6])] for at in range(4, len(words) - 5, 6)]
    return [int(words[1]), int(words[2]), int(words[3]), *rows]


def _numeral(word: "str") -> "float | None":
    return None if word == "-" else int(word) if word.isdigit() else float(word)


def joined_intervals(intervals: "list[list[Any]]") -> "list[Any]":
    """Several as one, which has their busiest commands."""
    sums = {}  # type: dict[str, list[Any]]
    for one in intervals:
        for row in one[3:]:
            before = sums.setdefault(row[0], [row[0], 0, 0, None, 0, None])
            adding = [_sum(before[at], row[at]) for at in (1, 2, 3)]
            before[1:] = [*adding, max(before[4], row[4]), _sum(before[5], row[5])]
    rows = sorted(sums.values(), key=lambda row: (not row[0], -row[2]))
    rows = [[row[0], row[1], *[None if n is None else round(n, 3) for n in row[2:]]] for row in rows]
    return [intervals[0][0], intervals[-1][1], sum(one[2] for one in intervals), *rows[:MOST_OF_INTERVAL]]


def thinned(intervals: "list[list[Any]]", room_bytes: "int") -> "list[list[Any]]":
    """As many neighbours joined as it takes for the JSON of all to fit."""
    while len(dumps(intervals)) > room_bytes and len(intervals) > 1:
        intervals = [joined_intervals(intervals[at : at + 2]) for at in range(0, len(intervals), 2)]
    return intervals


def in_records(intervals: "list[list[Any]]") -> "Iterator[list[list[Any]]]":
    """As many at a time as one record has room for."""
    some, size = [], 0  # type: list[list[Any]], int
    for one in intervals:
        cost = len(dumps(one)) + 1
        if some and size + cost > ROOM_BYTES:
            yield some
            some, size = [], 0
        some.append(one)
        size += cost
    if some:
        yield some


# --- A step that the sampler of the whole life measures -----------------------------------------------


def begun_step(
    kind: "str", teller: "int", door: "Door", kernel: "Kernel", tasks: "Tasks | None"
) -> "Step | None":
    """The step that the sh part tells of, its start written; None for one that a sampler of its own user may serve."""
    spool, spent_s = door.inside, time.process_time()
    try:
        options = told(kind, teller)
        process = Process(int(options["pid"]), (teller,))
        process.hear(tasks)
        out = open_output("/proc/%d/fd/%d" % (teller, 9 if kind == "lead" else 1), door.identity)
    except (OSError, ValueError):
        return None
    if out < 0:
        process.close()
        return None
    left = spool.find("")
    outer = outer_step(options["pid"], [path for path in left if "/at-" in path])
    options.update({"parent": outer} if outer else {})
    if not options["step"] and not outer:
        options["step"] = name_of(teller, False) or name_of(process.pid, True)
    step = Step(process, options, Outlet(out))
    recorder = StepRecorder(step.outlet, run_id(options) or door.run, kernel.proc, spool, door.key, door.quiet)
    bring_owed(recorder, [path for path in left if "/owed-" in path])
    step.start(recorder, spool, kernel, spent_s)
    return step


def told(kind: "str", teller: "int") -> "dict[str, str]":
    """What a process that tells of a step says of it, by its command line. Raises OSError if it is none of ours."""
    words = read_file("/proc/%d/cmdline" % teller).split(b"\0")[:-1]
    if (home() + "/buildtel_agent.py").encode("utf-8", "surrogateescape") not in words:
        raise OSError("not our process")  # another by now, or one of another pid namespace
    options = {"name": kind, "step": "", "run": ""}
    if kind == "run":
        options.update(run_options([word.decode("utf-8", "surrogateescape") for word in words]), pid=str(teller))
    else:
        options["run"] = words[-1].decode("ascii", "replace")
        options["pid"] = stat_fields("/proc/%d" % teller)[1].decode()
    return options


def run_options(words: "list[str]") -> "dict[str, str]":
    """The options of `sh AGENT run [OPTION ...] [--] COMMAND ...`, and the command's name as `label`."""
    found = {}  # type: dict[str, str]
    rest = iter(words[words.index("run") + 1 :])
    for word in rest:
        if word == "--" or word[:2] != "--":
            found["label"] = (next(rest, "") if word == "--" else word).rpartition("/")[2]
            break
        found.update([option(word, rest)])
    found["step"] = clean_name(found.get("step", ""))
    return found


def serve(
    message: "tuple[str, int]", door: "Door", kernel: "Kernel", account: "LifeAccount", claim: "int"
) -> "None":
    """Begins a step and nods; ends it, too, if it is over at once and its reader takes all.

    Else a fork measures it, without the locks (`claim` and that of the file of samples) that say that we live.
    """
    kind, teller = message
    door.leash.arm()
    try:
        step = begun_step(kind, teller, door, kernel, account.tasks)
    except Exception:  # a step unmeasured is better than no sampler
        step = None
    door.nod(teller, step is not None)
    if step is None:
        door.leash.arm(False)
        return
    is_ours = True
    try:
        account.begin(step)
        is_done = step.process.over_before(door.fd, AT_ONCE_MS) and step.end(0)
        is_ours = is_done or is_parent(step, account)
    except Exception:  # no process can be started, say: the step has no end from us
        pass
    if is_ours:
        step.let_go()
        door.leash.arm(False)
        return
    try:
        _signal.signal(15, _signal.SIG_IGN)
        for fd in (door.fd, claim, account.kept.fd):
            posix.close(fd)
        step.measure()
    finally:
        posix._exit(0)


def is_parent(step: "Step", account: "LifeAccount") -> "bool":
    """Forks, True in the parent: the fork goes on with the step's account, and nothing that ends meanwhile is lost."""
    tasks = account.tasks
    try:
        fresh = None if tasks is None else tasks.again()
    except OSError:  # no more files
        fresh = None
    step.process.take()
    if tasks is not None and fresh is not None:
        fresh.follow(tasks)
    if posix.fork() > 0:
        account.served(step.mark)
        if fresh is not None:
            fresh.close()
        return True
    step.bind()
    if tasks is not None:
        tasks.close()
    step.process.hear(fresh)
    return False


# --- The sampler of the whole life of the machine ---------------------------------------------------


class LifeFile:
    """A file of samples with one header; a new one is begun when the machine's devices change."""

    def __init__(self, spool: "Spool") -> "None":
        self.spool, self.names, self.fd = spool, [], -1  # type: Spool, list[str], int

    def add(self, pairs: "list[tuple[str, int | None]]") -> "bool":
        """Appends a sample; False where it can't be kept."""
        names = [name for name, _ in pairs]
        if names != self.names and not self._begin(names, pairs[0][1] or 0):
            return False
        return write(self.fd, (rows_to_text([], [value for _, value in pairs])[1] + "\n").encode()) > 0

    def note(self, line: "str") -> "None":
        """Appends a line that is no sample."""
        write(self.fd, (line + "\n").encode())

    def _begin(self, names: "list[str]", m_ms: "int") -> "bool":
        import fcntl

        ident = "%013d-%s" % (m_ms, posix.urandom(3).hex())
        if self.fd >= 0:
            posix.close(self.fd)
        self.names, self.fd = names, self.spool.create("life-" + ident)
        sent = self.spool.create("sent-" + ident, 0o666)
        if self.fd < 0 or sent < 0:
            return False
        posix.close(sent)
        fcntl.flock(self.fd, fcntl.LOCK_EX)
        return write(self.fd, ("%d %s\n" % (posix.getpid(), " ".join(names))).encode()) > 0

    def remove(self) -> "None":
        """Lets go of the lock; what another user's `finish` could not remove goes a little later."""
        if self.fd >= 0:
            posix.close(self.fd)
        time.sleep(3)
        self.spool.clear()
        self.spool.tidy()


def link_to(folder: "str", link: "str") -> "None":
    """Makes or changes a link, if we may."""
    _quietly(posix.unlink, link)
    _quietly(posix.symlink, folder, link)


class Door:
    """Where the sh part tells of steps: a FIFO of the SSH user's, in the folder that the link `life` leads to."""

    def __init__(self, spool: "Spool", owner: "int", run: "str") -> "None":
        self.spool, self.run, self.key, self.quiet = spool, run, spool.key(), quiet_words(home())
        for name in ("fifo", "pid", "deaf"):
            _quietly(posix.unlink, spool.path(name))
        path = spool.path("fifo")
        posix.mkfifo(path, 0o600)
        stat = posix.lstat(path)
        self.identity = stat.st_dev, stat.st_ino
        self.fd = posix.open(path, posix.O_RDWR | posix.O_NONBLOCK | posix.O_CLOEXEC)
        spool.leave("deaf")
        for name in ("fifo", "deaf") if owner != posix.getuid() else ():
            posix.chown(spool.path(name), owner, -1)
        self.inside = Spool(home(), spool.path("")[:-1])
        self.leash = Leash()
        self._nods = []  # type: list[tuple[float, str]]
        self._poll = select.poll()
        self._poll.register(self.fd, select.POLLIN)
        birth = stat_fields("/proc/self")[19].decode()
        spool.leave("pid", ("%d %s\n" % (posix.getpid(), birth)).encode())
        link_to(spool.path("")[:-1], home() + "/life")  # root's, of another user's home: then `life-user` leads here

    def messages(self, wait_s: "float") -> "list[tuple[str, int]]":
        """Waits so long for tellers; gives what each is (`pre`, `run`, `lead`) and its process."""
        while self._nods and self._nods[0][0] < time.monotonic():
            _quietly(posix.unlink, self.inside.path(self._nods.pop(0)[1]))
        if not self._poll.poll(int(wait_s * 1000) + 1):
            self._hear()
            return []
        try:
            lines = posix.read(self.fd, 65536).decode("ascii", "replace").splitlines()
        except OSError:
            return []
        words = [line.split(" ") for line in lines]
        return [
            (pair[0], int(pair[1]))
            for pair in words
            if len(pair) == 2 and pair[0] in ("pre", "run", "lead") and pair[1].isdigit()
        ]

    def nod(self, teller: "int", served: "bool") -> "None":
        """Lets a teller go on; one whose step we can't serve may start a sampler of its own."""
        for name in [str(teller)] if served else ["%d.no" % teller, str(teller)]:
            self._nods.append((time.monotonic() + 1, self.inside.leave(name)))

    def _hear(self) -> "None":
        """A teller that had no nod in time wrote that we are deaf: here we are."""
        path = self.spool.path("deaf")
        try:
            if posix.stat(path).st_size:
                posix.truncate(path, 0)
        except OSError:
            pass


def life(options: "dict[str, str]") -> "None":
    """Samples into a spool file until TERM or until the agent is gone; the interval grows, so data stays bounded.

    It begins each step that it is told of; a fork of it measures the step.
    """
    kernel, kept = Kernel(), LifeFile(Spool(home()))
    timers()
    claim = kept.spool.claim()
    if claim < 0:
        return  # two calls after a reboot each began one
    owner = options.get("owner", "")
    due, rows, account = time.monotonic(), 0, LifeAccount(kept)
    end_by_exception()
    try:
        kept.add(sample(kernel))
        door = Door(kept.spool, int(owner) if owner.isdigit() else posix.getuid(), options["run"])
        while is_installed():
            rows += 1
            due += min(1 << rows // 3600, 60)
            while time.monotonic() < due and is_installed():
                for message in door.messages(max(0.0, min(due - time.monotonic(), 1.0))):
                    serve(message, door, kernel, account, claim)
                account.take()
            account.close()
            if not kept.add(sample(kernel)):
                break
        kept.remove()
    except KeyboardInterrupt:  # by `finish`, which removes the files, or because the machine goes down
        _signal.signal(15, _signal.SIG_IGN)
        write_last(kernel, account)
        if is_installed():
            keep_rest(kept.spool, options["run"])


def write_last(kernel: "Kernel", account: "LifeAccount") -> "None":
    """Writes what has ended since the last sample, and a sample; the latter also where the account was interrupted."""
    try:
        account.take()
        account.close()
    except Exception:  # it may have been at it just now
        pass
    account.kept.add(sample(kernel))


def end_by_exception() -> "None":
    """Makes TERM raise KeyboardInterrupt, which nothing on the way catches, and ignores HUP and CHLD."""

    def stop(*_: "Any") -> "None":
        raise KeyboardInterrupt

    for number in (1, 17):  # HUP: systemd sends it right after TERM as a session ends; CHLD: no fork is waited for
        _signal.signal(number, _signal.SIG_IGN)
    _signal.signal(15, stop)


def is_installed() -> "bool":
    """Whether the agent that `install` left is there, compiled for this Python; not what others wrote in its place."""
    from _frozen_importlib_external import MAGIC_NUMBER

    try:
        return read_file(home() + "/agent.pyc", len(MAGIC_NUMBER)) == MAGIC_NUMBER
    except OSError:
        return False


def keep_rest(spool: "Spool", run: "str") -> "None":
    """Leaves what was not sent yet where it outlives a reboot: all, where the log is to have no records."""
    recorder = Recorder(-1, run, "/proc", None, spool.key())
    flags = posix.O_CREAT | posix.O_EXCL | posix.O_WRONLY | posix.O_APPEND | posix.O_CLOEXEC
    recorder.out = posix.open(home() + "/buildtel_rest-" + recorder.sid, flags, 0o644)
    is_quiet = "records" in quiet_words(home())
    for path in spool.find("") if is_quiet else ():
        if path.endswith(".jsonl"):
            _copy(path, recorder.out)
    flush(recorder, spool, 1 << 24 if is_quiet else FLUSH_ROWS)


def sample(kernel: "Kernel") -> "list[tuple[str, int | None]]":
    """All numbers of this moment with their columns' names."""
    return [("m_ms", boottime_ns() // 1000000), *flatten(kernel.sampled())]


def sampler_is_running(spool: "Spool") -> "bool":
    """Whether a whole-life sampler holds the lock of its newest file."""
    import fcntl

    for path in spool.find("life-")[::-1]:
        try:
            fd = posix.open(path, posix.O_RDONLY | posix.O_CLOEXEC | posix.O_NOFOLLOW)
        except OSError:
            continue
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            posix.close(fd)
    return False


def start_life(run: "str") -> "None":
    """Starts the whole-life sampler as a daemon that holds none of our files."""
    if posix.fork():
        posix.wait()
        return
    try:
        posix.setsid()
        if not posix.fork():
            posix.closerange(0, 256)
            for _ in (0, 1, 2):
                posix.open("/dev/null", posix.O_RDWR)
            posix.chdir("/")
            environment = {key: value for key, value in posix.environ.items() if key != b"BUILDTEL_KEY"}
            owner = posix.environ.get(b"SUDO_UID", b"").decode("ascii", "replace")
            words = [sys.executable, "-I", "-S", home() + "/agent.pyc", "life", "--run", run, "--owner", owner]
            posix.execve(sys.executable, words, environment)
    finally:
        posix._exit(0)


def revive_life(spool: "Spool", run: "str") -> "None":
    """Starts it where the agent is installed and none lives."""
    if home() and not sampler_is_running(spool):
        start_life(run)


def stop_life(spool: "Spool") -> "None":
    """Ends the whole-life sampler, if it is one that we may end, and waits for its last sample."""
    for path in spool.find("life-"):
        pid = read_file(path, 20).split(b" ", 1)[0]
        if pid.isdigit() and b"life" in read_file("/proc/%s/cmdline" % pid.decode()).split(b"\0"):
            _quietly(posix.kill, int(pid), 15)
    give_up = time.monotonic() + 3
    while sampler_is_running(spool) and time.monotonic() < give_up:
        time.sleep(0.02)


def flush(recorder: "Recorder", spool: "Spool", most_rows: "int" = FLUSH_ROWS) -> "None":
    """Sends what the whole-life sampler has not sent yet, so many samples of it; none where the spool has all."""
    import fcntl

    for path in () if recorder.is_quiet else spool.find("life-"):
        sent_path = path.replace("/life-", "/sent-")
        try:
            fd = posix.open(sent_path, posix.O_RDWR | posix.O_CLOEXEC | posix.O_NOFOLLOW)
        except OSError:
            continue
        try:
            if posix.fstat(fd).st_nlink != 1:
                continue  # no file of ours has another name
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            sent_bytes = int(_read_all(fd, 20) or b"0")
            if sent_bytes == posix.stat(path).st_size:
                continue
            sent_bytes = _flush_file(recorder, path, sent_bytes, most_rows)
            posix.pwrite(fd, b"%020d" % sent_bytes, 0)
        except (OSError, ValueError):
            pass  # another step sends just now, or somebody else wrote there
        finally:
            posix.close(fd)


def _flush_file(recorder: "Recorder", path: "str", sent_bytes: "int", most_rows: "int" = FLUSH_ROWS) -> "int":
    fd = posix.open(path, posix.O_RDONLY | posix.O_CLOEXEC | posix.O_NOFOLLOW)
    try:
        head = _read_all(fd, 65536).partition(b"\n")[0].decode()
        data = _read_all(fd, 1 << 24, sent_bytes or len(head) + 1)
    finally:
        posix.close(fd)
    data = data[: data.rfind(b"\n") + 1]
    lines = data.decode().splitlines()
    intervals = [interval_from_text(line) for line in lines if line[:1] == "c"]
    lines = [line for line in lines if line[:1] != "c"]
    if len(lines) > most_rows:
        stride = -(-len(lines) // most_rows)
        lines = lines[::-1][::stride][::-1]
    names = head.split()[1:]
    step = max(1, min(30, 9000 // (len(names) + 1)))  # rows of an event, which is to have no more parts than are read
    accounts = list(in_records(thinned(intervals, ROOM_BYTES) if most_rows == FLUSH_ROWS else intervals))
    for first in range(0, max(len(lines), len(accounts) * step), step):
        rows = [row_from_text(line) for line in lines[first : first + step]]
        columns, same = constant_apart(pack_columns(names, [row for row in rows if len(row) == len(names)]))
        fields = {"cols": columns} if columns else {}  # type: dict[str, Any]
        fields.update({"same": same} if same else {})
        fields.update({"cmds": accounts.pop(0)} if accounts else {})
        recorder.emit("samples", fields, {"src": path.rpartition("life-")[2]}, own_line=True)
    return (sent_bytes or len(head) + 1) + len(data)


def start(options: "dict[str, str]") -> "None":
    """Begins a step that a later `end` of the same name ends."""
    recorder, spool, kernel = begin(options, 1, mid_line=True)
    name = clean_name(options.get("name", "")) or "step"
    if recorder.has_block:
        write(1, ("\n" + start_block(name)).encode())
        recorder.mid_line = False
    counters, m_ns = kernel.counters(), boottime_ns()
    step = recorder.sid + ".1"
    fields = {"name": name, "parent": options.get("parent"), "by": "start", "c": counters}
    recorder.emit("start", fields, {"step": step}, last=True, own_line=True)
    fd = spool.create("step-%08x-%020d" % (crc32(name.encode()) & 0xFFFFFFFF, m_ns))
    if fd >= 0:
        names, values = zip(*flatten(counters))
        write(fd, "\n".join((step, str(m_ns), *rows_to_text(list(names), values))).encode())


def begun_under(name: "str", spool: "Spool") -> "list[str]":
    """The files of the steps that were begun under this name and not ended, newest first."""
    return spool.find("step-%08x-" % (crc32(name.encode()) & 0xFFFFFFFF))[::-1]


def end(options: "dict[str, str]") -> "None":
    """Ends the last step that was begun under this name."""
    kernel = Kernel(options.get("proc", "/proc"), options.get("sys", "/sys"))
    counters, m_ns = kernel.counters(), boottime_ns()
    recorder, spool, _ = begin(options, 1, mid_line=True)
    name = clean_name(options.get("name", "")) or "step"
    status = options.get("status") or options.get("second", "")
    exit_status = int(status) if status.isdigit() else None
    begun = None
    for path in begun_under(name, spool):
        begun = read_file(path).decode("ascii", "replace").split("\n")
        _quietly(posix.unlink, path)
        if len(begun) in (2, 4):  # two, where the sh part began it
            break
    fields = {"name": name, "c": counters, "exit": exit_status, "signal": None, "cost": cost(recorder, kernel.proc)}
    known = begun is not None and len(begun) in (2, 4)
    if begun and recorder.is_quiet and exit_status != 0:
        recorder.held = starts_of(begun[0], spool)
    recorder.emit("end", fields, {"step": begun[0] if begun and known else None}, last=True)
    figures = {}  # type: dict[str, Any]
    if begun and len(begun) == 4:
        before = unflatten(zip(begun[2].split(), row_from_text(begun[3])))
        figures = metrics(before, counters, (m_ns - int(begun[1])) / 1e9)
    if recorder.has_block:
        write(1, end_block(name, figures, further_lines(figures, exit_status)).encode())
    spool.tidy()


def starts_of(step: "str", spool: "Spool") -> "list[bytes]":
    """The start record of a step that another process began, as the spool has it."""
    paths = spool.find(step.rpartition(".")[0] + ".jsonl")
    lines = read_file(paths[0]).splitlines(True) if paths else []
    return [line for line in lines if b',"ev":"start",' in line[:40]]


def mark(options: "dict[str, str]") -> "None":
    """Notes an instant that the user names."""
    recorder, _, _ = begin(options, 1, mid_line=True)
    fields = {"name": clean_name(options.get("name", "")), "parent": options.get("parent")}
    recorder.emit("mark", fields, last=True)


def install(options: "dict[str, str]") -> "None":
    """Leaves this agent, and a compiled copy for this interpreter, where later steps find it."""
    folder = options.get("dir", INSTALL_DIR)
    if not _exists(folder):
        posix.mkdir(folder, 0o755)
    if not owned_folder(folder):
        print("buildtel: %s belongs to somebody else; steps will not be measured" % folder)
        return
    try:
        put_agent(folder)
        put_quiet(folder, options)
    except OSError:  # a full disk, say
        remove_agent(folder)
        raise
    sys.argv[0] = folder + "/agent.pyc"
    options["run"] = options["run"] or options.get("name", "")
    spool = Spool(home())
    stop_life(spool)  # an earlier build's, which did not get to its end
    for path in spool.find("life-") + spool.find("sent-") + spool.find("key") + rests():
        _quietly(posix.unlink, path)
    _quietly(posix.unlink, folder + "/life")
    user = posix.environ.get(b"SUDO_UID", b"").decode("ascii", "replace")
    if user.isdigit():
        link_to(spool.first_of(user), folder + "/life-user")  # of a sampler that this user starts after a reboot
    key = posix.environ.get(b"BUILDTEL_KEY", b"")
    if key and not spool.keep_key(key):
        print("buildtel: no tmpfs here to keep the key on: the records of later steps will not be signed")
    begin(options, 1)
    print("buildtel: agent %s installed in %s" % (__version__, folder))


def put_agent(folder: "str") -> "None":
    """Writes the agent, its compiled form and the interpreter's name into a folder."""
    import marshal
    from _frozen_importlib_external import MAGIC_NUMBER

    source = read_file(home() + "/buildtel_agent.py" if home() else sys.argv[0])
    target = folder + "/buildtel_agent.py"
    at_once, later, last = source.split(b"\n# === Loaded ")
    later = marshal.dumps(compile(b"# " + later, target, "exec", 0, True, 2))
    whole = at_once + b"\nLATER = " + repr(later).encode() + b"\n# " + last
    code = compile(whole, target, "exec", 0, True, 2)
    header = MAGIC_NUMBER + b"\0" * (8 if sys.version_info < (3, 7) else 12)
    _replace(target, source)
    _replace(folder + "/interpreter", sys.executable.encode() + b"\n")
    _replace(folder + "/agent.pyc", header + marshal.dumps(code))
    _quietly(posix.unlink, folder + "/by-sh")


def put_quiet(folder: "str", options: "dict[str, str]") -> "None":
    """Leaves what `install` was told to keep out of the build's output, for every later call and sampler."""
    words = [word for word, value in (("block", "false"), ("records", "spool")) if options.get(word) == value]
    if words:
        _replace(folder + "/buildtel_quiet", " ".join(words).encode() + b"\n")
    else:
        _quietly(posix.unlink, folder + "/buildtel_quiet")


def remove_agent(folder: "str") -> "list[str]":
    """Removes what is ours in a folder (all in INSTALL_DIR), and the folder if it is empty; gives what stays.

    The agent goes last: as long as anything else is there, `finish` can be called again.
    """
    stuck = []
    for name in sorted(_listed(folder), key=lambda name: (name == "buildtel_agent.py", name == "interpreter", name)):
        path = folder + "/" + name
        is_cache = name == "__pycache__"
        if folder != INSTALL_DIR and not name.startswith("buildtel_rest-") and name not in OUR_NAMES:
            continue
        for inner in _listed(path) if is_cache else ():
            if folder == INSTALL_DIR or inner.startswith("buildtel_agent."):
                _quietly(posix.unlink, path + "/" + inner)
        if not _quietly(posix.rmdir if is_cache else posix.unlink, path) and (folder == INSTALL_DIR or not is_cache):
            stuck.append(path)
    if folder == INSTALL_DIR or not _listed(folder):
        _quietly(posix.rmdir, folder)
    return stuck


def _replace(path: "str", data: "bytes") -> "None":
    fresh = path + ".new"
    _quietly(posix.unlink, fresh)
    fd = posix.open(fresh, posix.O_CREAT | posix.O_EXCL | posix.O_WRONLY | posix.O_CLOEXEC, 0o644)
    try:
        while data:
            data = data[posix.write(fd, data) :]
    finally:
        posix.close(fd)
    posix.rename(fresh, path)


def finish(options: "dict[str, str]") -> "None":
    """Sends the rest, stops the whole-life sampler, and removes all that `install` left."""
    folder = home() or sys.argv[0].rpartition("/")[0]
    if folder != INSTALL_DIR and not _exists(folder + "/interpreter"):
        return
    sys.argv[0] = folder + "/agent.pyc"  # where an earlier `finish` was killed, it is gone
    recorder, spool, kernel = begin(options, 1)
    _quietly(posix.unlink, folder + "/agent.pyc")
    wait_for_ends(spool, folder)
    stop_life(spool)
    stop_stopped(folder)
    bring_owed(recorder, spool.find("owed-"))
    flush(recorder, spool)
    recorder.emit("bye", {"c": kernel.counters()}, last=True, own_line=True)
    spool.clear()
    spool.tidy()
    remove_own(options.get("to", ""))
    for path in remove_agent(folder):
        print("buildtel: can't remove %s (another user's, or in use); remove it in a last step as root" % path)


def wait_for_ends(spool: "Spool", folder: "str") -> "None":
    """Waits, at most three seconds, for the ends of steps whose processes are gone, while somebody may write them."""
    give_up = time.monotonic() + 3
    of_life = [read_file(path, 20).split(b" ")[0].decode() for path in spool.find("pid")]
    while time.monotonic() < give_up:
        pids = [path.rpartition("at-")[2] for path in spool.find("at-")]
        samplers = [pid for pid, _ in own_processes(folder) if pid not in of_life]
        if all(_exists("/proc/" + pid) for pid in pids) or not samplers:
            return
        time.sleep(0.02)


def own_processes(folder: "str") -> "list[tuple[str, bytes]]":
    """The processes of the agent in `folder`, but for this one, and the command of each."""
    ours, found = (folder + "/agent.pyc").encode("utf-8", "surrogateescape"), []
    for pid in posix.listdir("/proc"):
        words = read_file("/proc/%s/cmdline" % pid).split(b"\0") if pid.isdigit() else []
        if ours in words[:4] and int(pid) != posix.getpid():
            found.append((pid, b"".join(words[4:5])))
    return found


def stop_stopped(folder: "str") -> "None":
    """Ends processes of this agent's that can't end by themselves."""
    for pid, command in own_processes(folder):
        state = read_file("/proc/%s/stat" % pid).rpartition(b") ")[2][:1]
        if state in (b"T", b"t") or command == b"life":
            _quietly(posix.kill, int(pid), 9)


def print_spool(options: "dict[str, str]") -> "None":
    """Writes all records of this machine, and every sample of its whole life, to stdout or to a new file."""
    file = options.get("to", "")
    if file:
        remove_own(file)
        out = posix.open(file, posix.O_WRONLY | posix.O_APPEND | posix.O_CREAT | posix.O_EXCL | posix.O_CLOEXEC, 0o600)
    else:
        out = 1
    folder = home()
    spool, kernel = Spool(folder), Kernel(options.get("proc", "/proc"))
    key = posix.environ.get(b"BUILDTEL_KEY", b"") or spool.key()
    recorder = Recorder(out, options["run"], kernel.proc, None, key)
    for path in spool.find("") if folder else []:
        if path.endswith(".jsonl"):
            _copy(path, out)
    for path in spool.find("life-") if folder else []:
        _flush_file(recorder, path, 0, 1 << 24)


def remove_own(path: "str") -> "None":
    """Removes a plain file of ours."""
    try:
        stat = posix.lstat(path)
        if stat.st_mode & 0o170000 == 0o100000 and stat.st_uid == posix.getuid():
            posix.unlink(path)
    except OSError:
        pass


OUR_NAMES = (
    "agent.pyc", "agent.pyc.new", "buildtel_agent.py", "buildtel_agent.py.new", "buildtel_quiet", "buildtel_quiet.new",
    "interpreter", "interpreter.new", "by-sh", "life", "life-user", "__pycache__",
)  # fmt: skip
SHELL_INIT = """\
BUILDTEL=${BUILDTEL:-%s}
telemetry_step_start() {
    [ ! -r "$BUILDTEL" ] || sh "$BUILDTEL" start "${1-}" </dev/null 2>/dev/null || :
}
telemetry_step_end() {
    [ ! -r "$BUILDTEL" ] || sh "$BUILDTEL" end "$@" </dev/null 2>/dev/null || :
}
"""


def shell_init(options: "dict[str, str]") -> "None":
    """Shell functions with the original's names: no-ops where the agent is not, or not any more."""
    path = (home() or INSTALL_DIR) + "/buildtel_agent.py"
    is_plain = all((char.isalnum() and char <= "~") or char in "/._+:@%,=-" for char in path)
    print(SHELL_INIT % (path if is_plain else "'" + path.replace("'", "'\\''") + "'"), end="")


def run(options: "dict[str, str]") -> "None":
    """A step is never Python's child: this process becomes the shell."""
    posix.execv("/bin/sh", ["sh", *sys.argv])


USAGE = """\
usage: sh buildtel_agent.py COMMAND
  run [--step NAME] -- COMMAND [ARGUMENT ...]   run a command as a measured step
  start NAME                                    begin a step
  end NAME [[--status] N]                       end the last step begun under this name, with its exit status
  mark NAME                                     note an instant
  install [RUN_UUID] [--dir DIR]                leave the agent in this machine, sample its whole life
          [--block false] [--records spool]     print no block around a step; print failing steps' records only
  spool [--to FILE]                             print every record and sample that this machine still has
  finish                                        send the rest and remove everything
  shell-init                                    print telemetry_step_start and telemetry_step_end for sh
  --version
Options of all: --proc DIR, --sys DIR (other roots than /proc and /sys), --run RUN_UUID
"""
COMMANDS = {
    "run": run, "life": life, "start": start, "end": end, "mark": mark, "install": install,
    "finish": finish, "shell-init": shell_init, "spool": print_spool,
}  # fmt: skip


# === Loaded at once ===

# --- The command line ----------------------------------------------------------------------------------


OPTIONS = ("step", "run", "label", "proc", "sys", "status", "dir", "record", "to", "owner", "block", "records")


def option(argument: "str", rest: "Iterator[str]") -> "tuple[str, str]":
    """Name and value of `--NAME=VALUE`, or of `--NAME` and the argument behind it."""
    key, given, value = argument[2:].partition("=")
    return key, value if given else next(rest, "")


def parse_arguments(arguments: "list[str]") -> "dict[str, str]":
    """Options by name; the first plain argument is `name`. Raises ValueError with words for the user."""
    options = {}  # type: dict[str, str]
    rest = iter(arguments)
    for argument in rest:
        if argument[:2] != "--":
            options.setdefault("second" if "name" in options else "name", argument)
            continue
        key, value = option(argument, rest)
        if key not in OPTIONS:
            raise ValueError("unknown option " + argument)
        options[key] = value
    parent = posix.environ.get(b"BUILDTEL_PARENT", b"").decode("ascii", "replace")
    if parent.replace(".", "").isalnum():
        options["parent"] = parent
    elif "step" in options and not options["step"]:
        options["step"] = posix.environ.get(b"BUILDTEL_STEP", b"").decode("utf-8", "replace")
    if "run" not in options:
        options["run"] = posix.environ.get(b"BUILDTEL_RUN", b"").decode("ascii", "replace")
    options["step"] = clean_name(options.get("step", ""))
    return options


def command_of(arguments: "list[str]") -> "Callable[[dict[str, str]], None] | None":
    """What a command line asks for; None for no command of ours. All but `watch` needs every part of the agent."""
    if arguments[:1] == ["watch"]:
        return watch
    load_later()
    _quietly(call_ourselves, b"bt-agent")
    return COMMANDS.get(arguments[0]) if arguments else None


def main(arguments: "list[str]") -> "int":
    """Exit status: 0, or 2 for wrong usage; telemetry that fails is no failure of the build."""
    if arguments[:1] == ["--version"]:
        print(__version__)
        return 0
    command = command_of(arguments)
    try:
        if command is None:
            raise ValueError("no such command: " + arguments[0] if arguments else "which command?")
        options = parse_arguments(arguments[1:] if arguments[0] != "run" else [])
    except ValueError as problem:
        load_later()
        sys.stderr.write("buildtel: %s\n%s" % (problem, USAGE))
        return 2
    try:
        command(options)
    except Exception as problem:
        words = "buildtel: %s: %s\n" % (type(problem).__name__, problem)
        _quietly(posix.write, 2, words.encode("ascii", "replace"))
    return 0


def _exit_now(status: "int") -> "None":
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            pass
    posix._exit(status)


if __name__ == "__main__":
    _exit_now(main(sys.argv[1:]))
