#!/bin/sh
# Installs what the tests need and runs every check and every test (about twenty minutes with the VM builds).
set -eu
cd "$(dirname "$0")/.."
# shellcheck disable=SC2046  # a list of words
sh .ci/setup --dev $(cat tests/apt-packages.txt)
sh .ci/minio
exec make all
