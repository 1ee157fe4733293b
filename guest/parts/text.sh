# shellcheck shell=sh disable=SC2034  # names of other parts
#
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

