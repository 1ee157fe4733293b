#!/bin/sh
# Builds the Debian image that the VM tests boot, and prints the folder it is in.
# usage: make_base_image.sh [no-python | newer]
#
# `newer` is Debian 13, with Linux 6.12 and Python 3.13; the others are of the host's release.
#
# The folder holds disk.qcow2 (ext4 without a partition table), vmlinuz, initrd.img and http/payload.bin,
# 60 MiB that the VM downloads. It is made once for each version of this script, under $BUILDTEL_VM_CACHE
# (default: .cache/vm in the checkout).
# Needs root, mmdebstrap, mke2fs and qemu-img; mounts no disk. The VM's user is packer, password packer,
# with sudo that asks for none: the machine is reachable on the loopback of its host only.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=${BUILDTEL_VM_CACHE:-$here/../../.cache/vm}
key=$(sha256sum "$here/make_base_image.sh" | cut -c1-16)
packages=linux-image-cloud-amd64,systemd-sysv,udev,dbus,libpam-systemd,openssh-server,sudo
case ${1-} in
'') kind=base packages=$packages,python3-minimal,wget ;;
no-python) kind=bare ;;
newer) kind=newer packages=$packages,python3-minimal,wget ;;
*)
    echo "make_base_image.sh: what is '$1'? usage: make_base_image.sh [no-python | newer]" >&2
    exit 2
    ;;
esac
image=$cache/$kind-$key

if [ -e "$image/complete" ]; then
    echo "$image"
    exit 0
fi

for tool in mmdebstrap unshare mke2fs qemu-img; do
    command -v "$tool" >/dev/null || {
        echo "make_base_image.sh: $tool is missing: install what tests/apt-packages.txt lists" >&2
        exit 1
    }
done

mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9
if [ -e "$image/complete" ]; then
    echo "$image"
    exit 0
fi
work=$cache/making-$kind-$key
rm -rf --one-file-system "$work" "$cache/$kind"-*
mkdir -p "$work"
trap 'rm -rf --one-file-system "$work"' EXIT

# What the host itself takes Debian's packages from; elsewhere mmdebstrap's own default.
suite=bookworm
set --
# shellcheck source=/dev/null
if [ "$(. /etc/os-release && echo "$ID")" = debian ]; then
    suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
    for sources in /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list; do
        if [ -s "$sources" ] && [ $# -eq 0 ]; then set -- "$sources"; fi
    done
fi

if [ "$kind" = newer ]; then
    suite=trixie
    set -- http://deb.debian.org/debian
fi

cat >"$work/configure" <<'CONFIGURE'
#!/bin/sh
set -eu
root=$1
cat >"$root/etc/fstab" <<'EOF'
/dev/vda / ext4 errors=remount-ro,noatime 0 0
EOF
cat >"$root/etc/systemd/network/lan.network" <<'EOF'
[Match]
Name=eth0
[Network]
DHCP=ipv4
LinkLocalAddressing=no
IPv6AcceptRA=no
EOF
mkdir -p "$root/etc/systemd/system.conf.d"
cat >"$root/etc/systemd/system.conf.d/short-stops.conf" <<'EOF'
[Manager]
DefaultTimeoutStopSec=20s
EOF
echo buildtel-vm >"$root/etc/hostname"
echo "127.0.0.1 localhost buildtel-vm" >"$root/etc/hosts"
chroot "$root" useradd --create-home --shell /bin/bash packer
echo packer:packer | chroot "$root" chpasswd
echo "packer ALL=(ALL) NOPASSWD: ALL" >"$root/etc/sudoers.d/packer"
chmod 0440 "$root/etc/sudoers.d/packer"
chroot "$root" systemctl --quiet enable systemd-networkd.service ssh.service
chroot "$root" systemctl --quiet mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer fstrim.timer \
    e2scrub_all.timer e2scrub_reap.service man-db.timer systemd-tmpfiles-clean.timer getty@tty1.service
CONFIGURE
chmod +x "$work/configure"

# A handful of modules in the initrd: a full one takes seconds to unpack without KVM.
# shellcheck disable=SC2016  # the hook's own $1
minimal_initrd='mkdir -p "$1/etc/initramfs-tools/conf.d" "$1/usr/share/initramfs-tools/modules.d"
    printf "MODULES=list\nCOMPRESS=gzip\nRESUME=none\n" >"$1/etc/initramfs-tools/conf.d/vm"
    printf "virtio_pci\nvirtio_blk\next4\ncrc32c_generic\n" >"$1/usr/share/initramfs-tools/modules.d/vm"'

# In a mount namespace of its own: its /proc goes with it, whoever is looking into the folder meanwhile.
unshare --mount mmdebstrap --quiet --variant=minbase --include="$packages" \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    --essential-hook="$minimal_initrd" --customize-hook="$work/configure" \
    "$suite" "$work/root" "$@" >&2

# Without a machine id each VM would do a first boot's work (presets) and keep its journal elsewhere.
echo 6275696c7474656c0000000000000001 >"$work/root/etc/machine-id"

cp "$work"/root/boot/vmlinuz-* "$work/vmlinuz"
cp "$work"/root/boot/initrd.img-* "$work/initrd.img"
mke2fs -q -t ext4 -d "$work/root" -E lazy_itable_init=0,lazy_journal_init=0,root_owner=0:0 \
    "$work/disk.raw" 2G >&2
qemu-img convert -O qcow2 "$work/disk.raw" "$work/disk.qcow2"

mkdir -p "$image/http"
truncate -s 60M "$image/http/payload.bin"
mv "$work/disk.qcow2" "$work/vmlinuz" "$work/initrd.img" "$image/"
touch "$image/complete"
echo "$image"
