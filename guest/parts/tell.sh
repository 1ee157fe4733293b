# shellcheck shell=sh disable=SC2034  # names of other parts
#
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

