# --- What a person reads ----------------------------------------------------------------------------


def iso_time() -> "str":
    """The local time as `date -Iseconds` prints it."""
    text = time.strftime("%Y-%m-%dT%H:%M:%S%z")
    return text[:-2] + ":" + text[-2:]


def start_block(name: "str", when: "str" = "") -> "str":
    """The rule that begins a step in the log; `when` is now if it is not given."""
    return "%s\n\u23f1\ufe0f  [%s] START: %s\n%s\n" % ("\u2550" * 71, name, when or iso_time(), "\u2500" * 71)


def end_block(
    name: "str", figures: "dict[str, Any]", further: "Iterable[tuple[str, str]]", when: "str" = ""
) -> "str":
    """The END line, the eight lines of figures, and `further` lines; what is not known is `n/a`."""
    lines = (
        ("Duration", "%s", "duration_s s"), ("CPU", "%s avg", "cpu_percent %"),
        ("Memory", "%s used (delta %s)", "memory_used_mb MB", "memory_delta_mb MB"),
        ("Disk Read", "%s (%s, %s)", "disk_read_mb MB", "disk_read_rate_mbs MB/s", "disk_read_ops  ops"),
        ("Disk Write", "%s (%s, %s)", "disk_write_mb MB", "disk_write_rate_mbs MB/s", "disk_write_ops  ops"),
        ("Disk I/O", "util=%s, await=%s, queue=%s", "disk_util_percent %", "await_ms ms", "queue_depth "),
        ("Net RX", "%s (%s)", "net_rx_mb MB", "net_rx_rate_mbs MB/s"),
        ("Net TX", "%s (%s)", "net_tx_mb MB", "net_tx_rate_mbs MB/s"),
    )  # fmt: skip
    rows = [(line[0], line[1] % tuple([_shown(figures, *key.split(" ", 1)) for key in line[2:]])) for line in lines]
    text = "".join(["  %-14s %s\n" % (label + ":", value) for label, value in rows + list(further)])
    return "%s\n\u23f1\ufe0f  [%s] END: %s\n\n%s%s\n" % ("\u2500" * 71, name, when or iso_time(), text, "\u2550" * 71)


def _shown(figures: "dict[str, Any]", key: "str", unit: "str") -> "str":
    if key not in figures:
        return "n/a"
    number = "%.1f" % figures[key] if key in ("duration_s", "queue_depth") else "%d" % round(figures[key])
    return ("~" if key == "cpu_percent" else "") + number + unit


