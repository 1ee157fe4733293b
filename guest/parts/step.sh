# shellcheck shell=sh disable=SC2034  # names of other parts
#
# shellcheck disable=SC1090,SC2030,SC2031,SC3067  # '-O' is in every shell that there is
# The buildtel guest agent. POSIX sh down to the last 'exit', Python 3.6 or newer below it.
# This first part is all that is read where Python is usable. The sh is the outermost process of a step: killing the
# Python part never hurts the build. Where no Python is usable, the second part records by sh alone.

bt_python() {
    [ ! -e "${0%/*}/by-sh" ] || return 1
    bt_py=
    [ -r "${0%/*}/interpreter" ] && read -r bt_py <"${0%/*}/interpreter"
    for bt_py in "$bt_py" python3 /usr/bin/python3 /usr/local/bin/python3 /usr/libexec/platform-python; do
        [ -n "$bt_py" ] && command -v "$bt_py" >/dev/null 2>&1 && return 0
    done
    return 1
}

# Status 1 is Python's own (compiled for another version, too old a version): only then the source is tried.
# A ksh hands down files above 2 only where they are named: $bt_files.
bt_agent() {
    if [ -r "${0%/*}/agent.pyc" ]; then
        eval '"$bt_py" -I -S "${0%/*}/agent.pyc" "$@"' "${bt_files-}"
        bt_rc=$?
        [ "$bt_rc" -eq 1 ] || return "$bt_rc"
    fi
    eval '"$bt_py" -I -S "$0" "$@"' "${bt_files-}"
}

# The second part of this file, in a subshell: what goes wrong there ends there.
bt_by_sh() (
    bt_loading=$$
    case $0 in */*) . "$0" ;; *) . "./$0" ;; esac
) 2>/dev/null

bt_run() {
    bt_step='' bt_record='' bt_run='' bt_proc='' bt_sys='' bt_state=''
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
    if [ $# -eq 0 ]; then
        echo 'buildtel: usage: run [--step NAME] -- COMMAND [ARGUMENT ...]' >&2
        exit 2
    fi
    true 6>&2 || exec 2>/dev/null
    { true 6<&0; } 2>/dev/null || exec </dev/null
    { true 6>&1; } 2>/dev/null || exec >/dev/null
    exec 7>&2 8<&0 9>&1 2>/dev/null
    bt_outer=${BUILDTEL_PARENT-} bt_files=${KSH_VERSION:+'9>&9'}
    if bt_python; then
        bt_agent sampler --step "$bt_step" --run "$bt_run" --label "${1##*/}" \
            --proc "${bt_proc:-/proc}" --sys "${bt_sys:-/sys}" ${bt_record:+--record "$bt_record"} 7>&- 8<&- </dev/null
    fi | {
        read -r bt_id bt_pid bt_rcfile
        if [ -z "$bt_id" ]; then
            bt_state=$(bt_by_sh begin "${1##*/}" 7>&- 8<&- </dev/null)
            bt_id=${bt_state%% *}
        fi
        [ -z "$bt_id" ] || export BUILDTEL="$0" BUILDTEL_PARENT="$bt_id"
        ("$@") <&8 >&9 2>&7 7>&- 8<&- 9>&-
        bt_rc=$?
        [ -z "$bt_rcfile" ] || echo "$bt_rc" >"$bt_rcfile"
        [ -z "$bt_pid" ] || kill -CONT "$bt_pid" || bt_state=$bt_id
        [ -z "$bt_state" ] || bt_by_sh trail "${1##*/}" "${bt_state%% *}" "${bt_state#* }" "$bt_rc" 7>&- 8<&- </dev/null
        exit "$bt_rc"
    }
    exit $?
}

if [ "${bt_loading-}" != $$ ]; then
    bt_act=${1-}
    case $bt_act in
    run) shift; bt_run "$@" ;;
    lead) shift; set -- sampler "$@" ;;
    pre)
        # Words to put before a command so that it runs as a step; none where a shell would cut our path in two.
        case $0 in *[!0-9A-Za-z/._+:@%,=-]*) exit 0 ;; esac
        bt_sh='sh'
        # A script without '#!' is run by the shell that starts it: keep the login shell, unless sudo or env do it.
        case ${3-}${SHELL-} in
        /bin/bash | /usr/bin/bash | /bin/dash | /usr/bin/dash | /bin/ash | /bin/mksh) bt_sh=$SHELL ;;
        esac
        case ${2-} in '' | *[!A-Za-z0-9-]*) echo "$bt_sh $0 run --" ;; *) echo "$bt_sh $0 run --run $2 --" ;; esac
        exit 0
        ;;
    esac
    if [ "$bt_act" != trail ] && bt_python; then
        bt_agent "$@"
        bt_rc=$?
        # The agent has 0 and 2 only; these are of a Python that can't be started, is too old, or crashes by itself.
        case $bt_rc in
        1 | 126 | 127 | 132 | 134 | 139) ;;
        2) exit 2 ;;
        *) exit 0 ;;
        esac
    fi
    bt_step='' bt_record='' bt_run='' bt_proc='' bt_sys=''
fi

