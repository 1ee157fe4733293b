# --- What TCP counts --------------------------------------------------------------------------------


HELD_S = 10.0  # a read costs as much as all other counters together: the kernel sums up over all CPUs
QUIET_BYTES = 1 << 16


class Tcp:
    """TCP's counters of this machine; those of ten seconds before may be told while its interfaces are quiet."""

    def __init__(self, kernel: "Kernel") -> "None":
        self._kernel, self._due_s, self._held = kernel, 0.0, []  # type: Kernel, float, list[int | None]
        self._moved_bytes = 0

    def counters(self, moved_bytes: "int") -> "list[int | None]":
        """The group `tcp`, [] where nothing is told; `moved_bytes` are those of all interfaces until now."""
        now_s = time.monotonic()
        if now_s >= self._due_s or abs(moved_bytes - self._moved_bytes) >= QUIET_BYTES:
            self._due_s, self._moved_bytes = now_s + HELD_S - 0.5, moved_bytes
            told = {}  # type: dict[bytes, bytes]
            for file in ("/net/snmp", "/net/netstat"):
                told.update(parse_pairs(self._kernel.text(file)))
            self._held = [_number(told.get(key, b"")) for key in TCP_KEYS]
        return self._held if any(number is not None for number in self._held) else []


def parse_pairs(text: "bytes") -> "Iterator[tuple[bytes, bytes]]":
    """Names and numbers of TCP in /proc/net/snmp and /proc/net/netstat: a line of names, then one of numbers."""
    lines = [line.split() for line in text.split(b"\n") if line[:4] == b"Tcp:" or line[:7] == b"TcpExt:"]
    for names, numbers in zip(lines[::2], lines[1::2]):
        if names[0] == numbers[0]:
            yield from zip(names[1:], numbers[1:])


