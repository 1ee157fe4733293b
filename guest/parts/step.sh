# shellcheck shell=sh disable=SC1090,SC2030,SC2031,SC2034,SC2154,SC3067  # names of other parts; `-O` is in every shell
#
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

