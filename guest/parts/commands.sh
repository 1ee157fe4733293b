# shellcheck shell=sh disable=SC2034,SC2154,SC3067  # names of other parts; `-O` is in every shell that there is
#
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
