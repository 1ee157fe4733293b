"""Worlds by their places: read-only, full, wiped, shut off; and what somebody left there."""

from __future__ import annotations

from .world import ALL, World

DIE = "kill -9 $(life)\n"
BEGUN = "n=0; until [ -s /var/tmp/buildtel/life/pid ] || [ $n -gt 60 ]; do n=$((n + 1)); sleep 0.05; done\n"
EVERY = "for d in /dev/shm /run /var/tmp /tmp; do "
FULL = EVERY + "mount -o remount,size=900k $d; cat /dev/zero >$d/x.full 2>/dev/null || :; done\n"
NO_INODES = (
    EVERY + "mount -o remount,nr_inodes=60 $d; n=0; while true >$d/$n.full; do n=$((n + 1)); done 2>/dev/null; done\n"
)
READ_ONLY = EVERY + "ro $d; done\n"
LIFE = "/var/tmp/buildtel/life"
OVERLAY = (
    "mkdir -p /mnt/o; mount -t tmpfs none /mnt/o; mkdir /mnt/o/up /mnt/o/work /mnt/o/root\n"
    "mount -t overlay -o lowerdir=/usr,upperdir=/mnt/o/up,workdir=/mnt/o/work none /usr\n"
)
CHROOT = (
    "mkdir -p /mnt/c; for d in usr etc proc dev sys opt home; do mkdir -p /mnt/c/$d; mount --rbind /$d /mnt/c/$d; done\n"
    "ln -s usr/bin usr/lib usr/sbin /mnt/c/; [ ! -e /usr/lib64 ] || ln -s usr/lib64 /mnt/c/\n"
    "mkdir -p /mnt/c/tmp /mnt/c/run /mnt/c/root; mkdir -p /mnt/c/var/tmp; cp -a /var/tmp/keep /mnt/c/var/tmp/\n"
    "chmod 1777 /mnt/c/tmp /mnt/c/var/tmp\n"
)
IN_CHROOT = (
    'exec 3>&2; chroot /mnt/c /bin/sh /var/tmp/keep/agent.py install c0ffee-1 >/dev/null 2>&1 || :; chroot /mnt/c "$@"; '
    "s=$?; chroot /mnt/c sh /var/tmp/buildtel/buildtel_agent.py finish >/dev/null 2>&1; "
    "n=0; while [ $n -lt 40 ] && for p in /proc/[0-9]*; do case $(readlink $p/root) in /mnt/c) break;; esac; done && "
    "case $(readlink $p/root) in /mnt/c) :;; *) false;; esac; do n=$((n + 1)); sleep .1; done; "
    '[ $n -lt 40 ] || echo "a process keeps the chroot" >&2; ls -A /mnt/c/var/tmp /mnt/c/tmp /mnt/c/run /mnt/c/root >&2; '
    "exit $s"
)
# Where the agent was replaced, nothing of it can remove the rest.
OURS = "^/(var/tmp|dev/shm)/buildtel"
PLACES = (
    World("no agent file", ours=BEGUN + "rm -r /var/tmp/buildtel\n", measured=None, forms=("pre", "sudo")),
    World("the agent's folder is a file", ours=BEGUN + "rm -r /var/tmp/buildtel; echo x >/var/tmp/buildtel\n",
          measured=None, forms=("pre", "sudo"), left="^/var/tmp/buildtel$"),
    World("every file of ours is empty", ours="for f in /var/tmp/buildtel/*; do [ ! -f $f ] || : >$f; done\n",
          measured=None, forms=("pre", "sudo"), left=OURS),
    World("every file of ours is garbage",
          ours="for f in /var/tmp/buildtel/*; do [ ! -f $f ] || echo 'exit 9; ) ((' >$f; done\n",
          measured=None, forms=("pre", "sudo"), left=OURS),
    World("the agent can't be read", who="user", ours="chown -R 0:0 /var/tmp/buildtel; chmod 700 /var/tmp/buildtel\n",
          measured=None, forms=("pre", "sudo"), left="^/(var/tmp|dev/shm)/buildtel|buildtel"),
    World("full disks", setup=FULL, measured=None),
    World("full disks before install", before=FULL, measured=None, forms=("pre", "sudo", "alone")),
    World("no inode is left", setup=NO_INODES, measured=None),
    World("no inode is left before install", before=NO_INODES, measured=None, forms=("pre", "alone")),
    World("read-only /tmp", setup="ro /tmp\n"),
    World("read-only places before install", before=READ_ONLY, measured=None, forms=("pre", "sudo", "alone")),
    World("read-only /run and /dev/shm before install", before="ro /run; ro /dev/shm\n", forms=ALL),
    World("read-only /var/tmp before install", before="ro /var/tmp\n", forms=("pre", "alone"), measured=None),
    World("read-only places after the sampler died", ours=DIE + READ_ONLY, measured=None,
          left="^/(var/tmp|dev/shm|run)/buildtel", forms=("pre", "sudo", "run")),
    World("a read-only root", before="mount -o remount,bind,ro /\n"),
    World("noexec everywhere", before=EVERY + "mount -o remount,noexec $d; done\n", forms=ALL),
    World("the script is on a noexec place", setup="mount -o remount,bind,noexec /opt/scripts\n", status=126,
          look=False, measured=None),
    World("no /dev/shm", before="umount /dev/shm; mount -t tmpfs -o mode=0 none /dev/shm; ro /dev/shm\n", who="user"),
    World("/dev/shm and /run are root's", before="chmod 755 /dev/shm /run\n", who="user"),
    World("/var/tmp is a link to /tmp", setup="", before="cp -a /var/tmp/keep /mnt/keep2; umount /var/tmp\n"
          "mount --bind /tmp /var/tmp; cp -a /mnt/keep2 /var/tmp/keep\n"),
    World("wiped /tmp", setup="rm -rf /tmp/* /tmp/.[!.]*\n"),
    World("wiped /dev/shm and /run", setup="rm -rf /dev/shm/* /run/*\n", measured=None),
    World("everything wiped", setup="rm -rf /tmp/* /dev/shm/* /run/* /var/tmp/buildtel*\n", measured=None,
          forms=("pre", "sudo")),
    World("the step wipes everything", "rm -rf /tmp/* /var/tmp/buildtel /dev/shm/* /run/buildtel*; exit 6", status=6,
          measured=None),
    World("as after a reboot", ours=DIE + "umount /tmp /run /dev/shm || :\nfor d in /tmp /run /dev/shm; do "
          "mount -t tmpfs none $d; chmod 1777 $d; done\n"),
    World("overlay root", before=OVERLAY),
    World("overlay for every place", before=EVERY + "mkdir -p /mnt/o$d; mount -t tmpfs none /mnt/o$d; "
          "mkdir /mnt/o$d/up /mnt/o$d/work; chmod 1777 /mnt/o$d/up; "
          "mount -t overlay -o lowerdir=$d,upperdir=/mnt/o$d/up,workdir=/mnt/o$d/work none $d; done\n"),
    World("no /proc", caller="exec unshare -m sh -c 'mount -t tmpfs none /proc; exec \"$@\"' sh \"$@\"", look=False, measured=None, forms=("pre", "run", "sudo")),
    World("hidepid", before="mount -o remount,hidepid=2 /proc\n", who="user", look=False, measured=None),
    World("its own PID namespace", caller='exec unshare --pid --fork --mount-proc "$@"', measured=None, look=False),
    World("its own PID namespace, the old /proc", caller='exec unshare --pid --fork "$@"', measured=None, look=False),
    World("its own mount, net, IPC and UTS namespaces", caller='exec unshare -m -n -i -u "$@"', measured=None),
    World("a chroot", before=CHROOT, caller=IN_CHROOT, look=False, measured=None, forms=("pre", "run")),
    World("a chroot that lacks us", before=CHROOT, caller='exec chroot /mnt/c "$@"', look=False, measured=None,
          forms=("pre",)),
)  # fmt: skip
SAMPLERS = (
    World("the sampler is killed before the step", ours=DIE),
    World("the sampler is stopped", ours="kill -STOP $(life)\n", measured=None),
    World("the step kills all that is ours", "pkill -9 -f /var/tmp/buildtel || :; exit 6", status=6, measured=None),
    World("the step stops all that is ours", "pkill -STOP -f /var/tmp/buildtel || :; exit 6", status=6, measured=None,
          held_s=17),
    World("the FIFO is a file", ours=f"[ ! -e {LIFE}/fifo ] || {{ rm {LIFE}/fifo; echo x >{LIFE}/fifo; chmod 666 {LIFE}/fifo; }}\n", measured=None),
    World("the FIFO is a link to /dev/full", ours=f"[ ! -e {LIFE}/fifo ] || ln -sf /dev/full {LIFE}/fifo\n", measured=None),
    World("the FIFO has no reader", ours=f"[ ! -e {LIFE}/fifo ] || {{ rm {LIFE}/fifo; mkfifo -m 666 {LIFE}/fifo; }}\n", measured=None),
    World("the sampler's number is another's", ours=f"[ ! -e {LIFE}/pid ] || {{ {DIE.strip()}; echo 1 1 >{LIFE}/pid; }}\n", measured=None),
    World("the sampler's number is garbage", ours=f"[ ! -e {LIFE}/pid ] || echo '../../x $(id)' >{LIFE}/pid\n", measured=None),
    World("deaf already", ours=f"[ ! -d {LIFE}/ ] || : >{LIFE}/deaf\n", measured=None),
    World("the folder of the sampler is gone", ours=f"rm -rf $(readlink -f {LIFE})\n", measured=None),
    World("two installs", ours="su -s /bin/sh root -c 'sh /var/tmp/keep/agent.py install c0ffee-1' >/dev/null 2>&1\n"),
    World("installed by root, run by a user", who="user", measured=None, left="buildtel", forms=("pre", "run", "sudo"),
          ours="su -s /bin/sh nobody -c 'sh /var/tmp/buildtel/buildtel_agent.py finish' >/dev/null 2>&1 || :\n"
                "rm -rf /var/tmp/buildtel\nsh /var/tmp/keep/agent.py install c0ffee-1 >/dev/null 2>&1\n"),
)  # fmt: skip
LEFT = (
    World("__pycache__ beside the agent", ours="mkdir /var/tmp/buildtel/__pycache__; echo x >/var/tmp/buildtel/__pycache__/a.pyc\n"),
    World("half an install", ours_before="mkdir /var/tmp/buildtel; echo half >/var/tmp/buildtel/buildtel_agent.py.new; "
          "echo x >/var/tmp/buildtel/agent.pyc.tmp\n"),
    World("half an install of another user", before="mkdir /var/tmp/buildtel; chown 1:1 /var/tmp/buildtel\n",
          who="user", measured=None, left="^/var/tmp/buildtel$", forms=("pre",)),
    World("/run/buildtel-* of another user", before="mkdir /run/buildtel-1; chown 1:1 /run/buildtel-1; chmod 700 /run/buildtel-1\n",
          left="^/run/buildtel-1$"),
    World("/dev/shm/buildtel-* of another user", left="^/dev/shm/buildtel-0+-1|^/dev/shm/buildtel-spool",
          before="mkdir /dev/shm/buildtel-00000000-1; chown 1:1 /dev/shm/buildtel-00000000-1\n"
                 "ln -s /etc/passwd /dev/shm/buildtel-spool.jsonl\n"),
    World("another user took our folder's name", who="user", left="^/var/tmp/buildtel",
          before="mkdir -m 777 /var/tmp/buildtel; chown 1:1 /var/tmp/buildtel; ln -s /etc/passwd /var/tmp/buildtel/tell\n",
          measured=None, forms=("pre", "sudo")),
    World("our folder's name is a link", before="mkdir /opt/else; ln -s /opt/else /var/tmp/buildtel\n", measured=None,
          left="^/var/tmp/buildtel$", forms=("pre",)),
    World(".rc files of ours", ours="for n in 1 2; do echo 0 >/tmp/buildtel-$n.rc; echo 0 >/var/tmp/buildtel/$n.rc; done\n",
          left=r"^/tmp/buildtel-\d.rc$"),
    World("something in our folder that can't be removed", left="^/var/tmp/buildtel", finish_says="/var/tmp/buildtel",
          ours="mkdir /var/tmp/buildtel/kept; mount -t tmpfs none /var/tmp/buildtel/kept\n"),
    World("a file of root's in a user's folder", who="user", left="^/var/tmp/buildtel", finish_says="/var/tmp/buildtel",
          ours="mkdir /var/tmp/buildtel/kept; echo x >/var/tmp/buildtel/kept/file\n", forms=("pre", "sudo")),
    World("finished before the step", ours="sh /var/tmp/buildtel/buildtel_agent.py finish >/dev/null 2>&1\n",
          forms=("pre", "sudo"), measured=False),
)  # fmt: skip
