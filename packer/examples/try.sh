#!/bin/sh
# From nothing to a report: installs buildtel and packer, watches a real build, shows where the time went. With QEMU here (and root, to make the small Debian it starts from) the build is a virtual
# machine's; else, or with BUILDTEL_EXAMPLE=null-local, it is one that needs none.
set -eu
cd "$(dirname "$0")/../.."
sh .ci/setup packer

if ! command -v packer >/dev/null; then
    echo 'try.sh: this release has no package of packer: install it from its makers, then run this again' >&2
    exit 1
fi

example=debian-qemu
for tool in qemu-system-x86_64 qemu-img mmdebstrap mke2fs; do
    command -v "$tool" >/dev/null || example=null-local
done
[ "$(id -u)" -eq 0 ] || example=null-local
example=${BUILDTEL_EXAMPLE:-$example}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$PWD
cp -R "packer/examples/$example/." "$work"
set --
if [ "$example" = debian-qemu ]; then
    echo 'try.sh: making the Debian to start from, then building on it: some minutes without KVM' >&2
    set -- -var "image=$(sh tests/vm/make_base_image.sh)"
    .venv/bin/buildtel-host wire "$work" >/dev/null
else
    set -- -var "agent=$root/guest/buildtel_agent.py"
fi

export CHECKPOINT_DISABLE=1
cd "$work"
"$root/.venv/bin/buildtel-host" packer build "$@" . 2>&1
