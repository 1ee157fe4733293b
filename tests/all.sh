#!/bin/sh
# Installs what the tests need and runs every check and every test, in parts; prints the time of each, last of all.
set -eu
cd "$(dirname "$0")/.."

times=
part() { # NAME COMMAND...
    name=$1
    shift
    begun=$(date +%s)
    if "$@"; then ended=passed; else ended=failed; fi
    times="$times
part $name: $(($(date +%s) - begun)) s, $ended"
    [ "$ended" = passed ] || { echo "$times"; exit 1; }
}

# shellcheck disable=SC2046  # a list of words
part setup sh .ci/setup --dev $(cat tests/apt-packages.txt)
part minio sh .ci/minio
part check make check
part test make test
echo "$times"
