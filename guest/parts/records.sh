# shellcheck shell=sh disable=SC2034,SC2154  # names of other parts
#
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

