"""Worlds that only a whole machine shows: a systemd, an OpenSSH with PAM, sudo, real mounts."""

from __future__ import annotations

import functools

from ..guest.unharmed.world import World

# A user's login over SSH, and the command that Packer sends; nobody looks into /proc while it runs.
user = functools.partial(World, who="user", look=False, forms=("pre",))
rooted = functools.partial(user, forms=("sudo",))
dasher = functools.partial(user, login="/bin/dash")
SESSION = r"""
loginctl show-session "$XDG_SESSION_ID" -p Name -p Type -p Class -p Remote -p State -p Service
sed 's/session-[0-9]*/session-N/' /proc/self/cgroup
systemctl --user is-system-running
exit 4
"""
UNIT = r"""
sudo -n systemd-run --quiet --wait --pipe --collect \
    sh -c 'echo in a unit; sed s/run-u[0-9]*/run-uN/ /proc/self/cgroup; exit 4'
"""
# Stops the sampler and its holders for two seconds. This machine's python3-minimal has no ctypes, so no timer of the
# kernel ends a holder that is stopped for longer than 15 s.
SIGNAL = "read -r p x </var/tmp/buildtel/life/pid && kill -NAME $p $(cat /proc/$p/task/$p/children)"
STOP = f"""
sleep 0.5
sudo -n sh -c '{SIGNAL.replace("NAME", "STOP")}' 2>/dev/null || :
sudo -n sh -c 'sleep 2; {SIGNAL.replace("NAME", "CONT")}' </dev/null >/dev/null 2>&1 &
echo stopped
exit 4
"""
NO_PYTHON = "for p in /usr/bin/python3*; do [ -L $p ] || mount --bind /dev/null $p; done\n"
READ_ONLY = """
sudo -n sh -c 'for p in /run /var/tmp /dev/shm; do mount --bind $p $p; mount -o remount,bind,ro $p; done'
exit 4
"""
WRITABLE = "sudo -n umount -l /run /var/tmp /dev/shm; exit 4"
WIPE = r"""
sudo -n mount -t tmpfs -o mode=1777 none /tmp
echo in /tmp >/tmp/mine
sudo -n find /tmp /var/tmp /dev/shm -mindepth 1 -delete
ls -A /tmp
sudo -n umount /tmp
exit 4
"""
# Steps of one build each: they share the install, and what is left is looked at after all of them. What takes the agent
# away, or stops it, stands last.
BUILDS: dict[str, tuple[World, ...]] = {
    "a user with bash": (
        user("fails", "echo out; echo err >&2; read -r a; echo \"$a, $PLAIN\"; exit 4"),
        user("a session of logind's", SESSION),
        user("a unit of systemd's", UNIT),
        user("a PID namespace", "sudo -n unshare -p --fork --mount-proc sh -c 'echo $$; exit 4'"),
        user("ulimit -f 0", command="ulimit -f 0; {{ .Vars }} WRAP{{ .Path }}"),
        user("a terminal", "tty | sed 's/[0-9]*$//'; echo out; exit 4", stdio="pty", stdin=""),
        user("a child holds the output", "(sleep 1; echo late) & echo soon; exit 4"),
        user("its sampler is stopped for 2 s", STOP, held_s=10),
    ),
    "a user with dash": (
        dasher("plain"),
        dasher("kill 0", "trap 'echo caught' TERM; kill 0; sleep 0.1; exit 4", status=255, own_exit=4),
        dasher("kill -- -$$", "kill -TERM -- -$$ || exit 4"),
        dasher("trap EXIT", "trap 'trap - TERM; kill 0; wait' EXIT; sleep 5 & exit 4", status=255),
        dasher("wipes /tmp, /var/tmp and /dev/shm", WIPE),
    ),
    "root by sudo": (
        rooted("root by sudo", "id -u; exit 4"),
        user("makes /run, /var/tmp and /dev/shm read-only", READ_ONLY),
        rooted("all is read-only", measured=None),
        user("makes them writable again", WRITABLE, measured=None),
    ),
    "no Python": (user("no Python", before=NO_PYTHON),),
}
