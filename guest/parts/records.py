# --- Records ----------------------------------------------------------------------------------------


def boottime_ns() -> "int":
    """CLOCK_BOOTTIME (its number is 7; the name came with Python 3.7), else CLOCK_MONOTONIC, ns."""
    for clock in (7, time.CLOCK_MONOTONIC):
        try:
            return int(time.clock_gettime_ns(clock)) if hasattr(time, "clock_gettime_ns") else int(
                time.clock_gettime(clock) * 1e9
            )
        except OSError:
            continue
    return int(time.monotonic() * 1e9)


def dumps(value: "Any") -> "str":
    """JSON of None, bool, int, finite float, str, list, tuple and dict, in ASCII and without blanks."""
    if value is None:
        return "null"
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, dict):
        return "{" + ",".join([_quoted(key) + ":" + dumps(value[key]) for key in value]) + "}"
    return "[" + ",".join(map(str if set(map(type, value)) == {int} else dumps, value)) + "]"


def _quoted(text: "str", known: "dict[str, str]" = {}) -> "str":  # noqa: B006  (keys of records come again and again)
    found = known.get(text)
    if found is None:
        found = '"' + "".join(map(_escape, text)) + '"' if _needs_escape(text) else '"' + text + '"'
        if len(known) < 500:
            known[text] = found
    return found


def _with(one: "str", other: "str") -> "str":
    """Two objects of JSON as one."""
    return one[:-1] + "," + other[1:] if len(other) > 2 else one


def _needs_escape(text: "str") -> "bool":
    return not text.isprintable() or '"' in text or "\\" in text or max(text, default="") > "~"


def _escape(char: "str") -> "str":
    code = ord(char)
    if 32 <= code < 127:
        return "\\" + char if char in '"\\' else char
    if code > 0xFFFF:
        code -= 0x10000
        return "\\u%04x\\u%04x" % (0xD800 + (code >> 10), 0xDC00 + (code & 0x3FF))
    return "\\u%04x" % code


def clean_name(raw: "str") -> "str":
    """A name as users may give it: valid Unicode, printable, at most 120 characters."""
    text = raw.encode(sys.getfilesystemencoding(), "surrogateescape").decode("utf-8", "replace")
    return "".join([char if char.isprintable() else " " for char in text])[:120].strip()


def split_fields(fields: "dict[str, Any]", room: "int") -> "list[dict[str, Any]]":
    """The fields in as many parts as it takes for the JSON of each to fit into `room` bytes."""
    parts, size = [{}], 0  # type: list[dict[str, Any]], int
    for path, value in _leaves(fields, (), room // 4):
        cost = len(dumps(value)) + sum(len(key) + 6 for key in path)
        if size and size + cost > room:
            parts.append({})
            size = 0
        home = parts[-1]
        for key in path[:-1]:
            home = home.setdefault(key, {})
        home[path[-1]] = value
        size += cost
    return parts


def _leaves(fields: "dict[str, Any]", path: "tuple[str, ...]", whole_bytes: "int") -> "Iterator[Any]":
    for key, value in fields.items():
        if isinstance(value, dict) and value and len(dumps(value)) > whole_bytes:
            yield from _leaves(value, (*path, key), whole_bytes)
        else:
            yield (*path, key), value


class Recorder:
    """Numbers and writes the records of this process.

    Where `quiet` has the word `records`, those that the spool has do not go to the build's output, but for `hello`,
    `bye`, and start and end of a step that failed or may have. From the first that the spool does not take on, all do.
    """

    def __init__(
        self, out: "int", run: "str", proc: "str" = "/proc", spool: "Spool | None" = None, key: "bytes" = b"",
        quiet: "Collection[str]" = (),
    ) -> "None":  # fmt: skip
        self.out, self.run, self.spool, self.key = out, run, spool, key
        self.sid = "".join(["%02x" % byte for byte in posix.urandom(6)])
        self.boot = read_file(proc + "/sys/kernel/random/boot_id").decode("ascii", "replace").strip()
        self.sequence = self.bytes = 0
        self.mid_line = False
        self.has_block = "block" not in quiet
        self.is_quiet = spool is not None and "records" in quiet
        self.held = []  # type: list[bytes]
        self._spool_fd = -1

    def emit(
        self, event: "str", fields: "dict[str, Any]", shared: "dict[str, Any] | None" = None,
        may_wait: "bool" = True, last: "bool" = False, own_line: "bool" = False,
    ) -> "None":  # fmt: skip
        """Writes an event as one record, or as parts of one; `shared` fields stand in each part.

        Without `may_wait` an event that nobody is ready to read is dropped before it is numbered.
        Only what is known to begin on its `own_line` goes without a newline before it, and not even that `mid_line`.
        """
        if not (may_wait or self.is_quiet or _writable(self.out, 0)):
            return
        is_quiet = self.is_quiet and event not in ("hello", "bye") and (event != "end" or fields.get("exit") == 0)
        if self.is_quiet and event == "hello":
            fields = dict(fields, records="spool")
        now, monotonic = int(time.time() * 1e9), boottime_ns()
        room = RECORD_BYTES - (460 if self.key else 420) - len(dumps(shared or {}))
        whole = dumps(fields)
        parts = split_fields(fields, room) if len(whole) > room else [fields]
        for number, part in enumerate(parts, 1):
            self.sequence += 1
            record = {"v": PROTOCOL, "ev": event, "sid": self.sid, "seq": self.sequence}  # type: dict[str, Any]
            if self.boot:
                record["boot"] = self.boot
            if self.run:
                record["run"] = self.run
            record.update(t=now, m=monotonic)
            if len(parts) > 1:
                record.update(part=number, of=len(parts))
            record.update(shared or {})
            text = _with(dumps(record), dumps(part) if len(parts) > 1 else whole)
            text = _with(text, '{"last":true}') if last and number == len(parts) else text
            line = b"BUILDTEL:" + with_crc(with_mac(text.encode("ascii"), self.key)) + b"\n"
            self._write(line, own_line or number > 1, is_quiet)
            if is_quiet and self.is_quiet and event == "start":
                self.held.append(line)

    def close(self) -> "None":
        """Writes no more copies."""
        if self._spool_fd >= 0:
            posix.close(self._spool_fd)

    def write_record(self, line: "bytes") -> "None":
        """Writes a record that is made already."""
        self._write(line, True)

    def say(self, data: "bytes") -> "int":
        """Writes at most 4,096 bytes to the build's output; gives the number of those that it took."""
        return write(self.out, data)

    def _write(self, line: "bytes", own_line: "bool", is_quiet: "bool" = False) -> "None":
        if not is_quiet:
            self._say_all(line, own_line)
        if not self._keep(line) and self.is_quiet:
            self.is_quiet = False
            if is_quiet:
                self._say_all(line, own_line)

    def _say_all(self, line: "bytes", own_line: "bool") -> "None":
        """Writes a record to the build's output, and before it what was held back."""
        own_line, self.mid_line = own_line and not self.mid_line, False
        lines, self.held = [*self.held, line], []
        for text in lines:
            self.bytes += self.say(text if own_line else b"\n" + text)
            own_line = True

    def _keep(self, line: "bytes") -> "bool":
        """Whether the spool has a copy; a file that somebody removed has none."""
        if self.spool is None:
            return False
        if self._spool_fd < 0:
            self._spool_fd = self.spool.create(self.sid + ".jsonl")
        if self._spool_fd < 0 or write(self._spool_fd, line) < len(line):
            return False
        return not self.is_quiet or posix.fstat(self._spool_fd).st_nlink > 0


def with_crc(body: "bytes") -> "bytes":
    """A record's JSON with its last key, `crc`."""
    return b'%s,"crc":"%08x"}' % (body[:-1], crc32(body[:-1]) & 0xFFFFFFFF)


def with_mac(body: "bytes", key: "bytes") -> "bytes":
    """A record's JSON with `mac`, which says that its writer had the key; as it is where there is no key."""
    return b'%s,"mac":"%s"}' % (body[:-1], hmac_sha256(key, body[:-1])[:16].hex().encode()) if key else body


def hmac_sha256(key: "bytes", text: "bytes") -> "bytes":
    """Source: RFC 2104. The bare module of the interpreter costs a fraction of what hashlib and hmac do."""
    sha256 = _sha256_module().sha256
    key = (sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")
    inner = sha256(bytes([byte ^ 0x36 for byte in key]) + text).digest()
    return bytes(sha256(bytes([byte ^ 0x5C for byte in key]) + inner).digest())


def _sha256_module() -> "Any":
    for name in ("_sha2", "_sha256", "hashlib"):  # since Python 3.12, until 3.11, and where neither is built
        try:
            return __import__(name)
        except ImportError:
            continue
    raise ImportError("no SHA-256 in this Python")


def _writable(fd: "int", wait_ms: "int") -> "bool":
    poll = select.poll()
    try:
        poll.register(max(fd, 0), select.POLLOUT)
        return fd >= 0 and any(flags & select.POLLOUT for _, flags in poll.poll(wait_ms))
    except OSError:
        return False


def write(fd: "int", data: "bytes") -> "int":
    """Gives the bytes that one call of the kernel took, 0 where nobody reads; it ends us if that takes 20 s."""
    try:
        _signal.alarm(20)
        return posix.write(fd, data)
    except OSError:
        return 0
    finally:
        _signal.alarm(0)


