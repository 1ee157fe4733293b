"""What is on the machine after a play: runs there, as root, behind the text of tests/guest/unharmed/seen.py.

`look PLACE`: writes the processes of now to a file of PLACE, for the next one. `look PLACE WAIT_S`: waits at most so
long until there are no others, then prints the files and the processes that are new, as a Python literal.
"""

# mypy: ignore-errors
# ruff: noqa: F821  (names of seen.py)

import ast
import sys

# What a running system changes by itself, and its own processes.
CHURN = tuple("/run/" + name for name in ("systemd", "udev", "log", "user", "sudo", "dbus", "initctl", "utmp", "mount"))
CHURN += ("/tmp/systemd-private", "/var/tmp/systemd-private")
SYSTEM = ("/usr/lib/systemd/", "/lib/systemd/", "(sd-pam)", "sshd: ", "/usr/sbin/sshd", "/sbin/agetty", "/usr/bin/dbus")


def running() -> "list[str]":
    """The command lines of the machine's processes, but for the kernel's, the system's, and those above this one."""
    above, pid = set(), os.getpid()
    while pid:
        above.add(pid)
        found = stat_of(pid)
        pid = found[0] if found else 0
    others = [pid for pid in pids() if pid not in above and (stat_of(pid) or (2,))[0] != 2]
    return sorted(line for line in map(line_of, others) if line and not line.startswith(SYSTEM))


def look(place: str, wait_s: "float | None" = None) -> None:
    """As the module says."""
    path = place + "/processes"
    if wait_s is None:
        with open(path, "w") as file:
            file.write(repr(running()))
        return
    with open(path) as file:
        before = ast.literal_eval(file.read())
    give_up = time.monotonic() + wait_s
    while set(new := running()) - set(before) and time.monotonic() < give_up:
        time.sleep(0.1)
    files = {name: what for name, what in tree().items() if not name.startswith(CHURN) or "buildtel" in name}
    print(ascii({"tree": files, "left": [line for line in new if line not in before]}))


look(sys.argv[1], *map(float, sys.argv[2:]))
