# --- The command line ----------------------------------------------------------------------------------


OPTIONS = ("step", "run", "label", "proc", "sys", "status", "dir", "record", "to", "owner", "block", "records")


def option(argument: "str", rest: "Iterator[str]") -> "tuple[str, str]":
    """Name and value of `--NAME=VALUE`, or of `--NAME` and the argument behind it."""
    key, given, value = argument[2:].partition("=")
    return key, value if given else next(rest, "")


def parse_arguments(arguments: "list[str]") -> "dict[str, str]":
    """Options by name; the first plain argument is `name`. Raises ValueError with words for the user."""
    options = {}  # type: dict[str, str]
    rest = iter(arguments)
    for argument in rest:
        if argument[:2] != "--":
            options.setdefault("second" if "name" in options else "name", argument)
            continue
        key, value = option(argument, rest)
        if key not in OPTIONS:
            raise ValueError("unknown option " + argument)
        options[key] = value
    parent = posix.environ.get(b"BUILDTEL_PARENT", b"").decode("ascii", "replace")
    if parent.replace(".", "").isalnum():
        options["parent"] = parent
    elif "step" in options and not options["step"]:
        options["step"] = posix.environ.get(b"BUILDTEL_STEP", b"").decode("utf-8", "replace")
    if "run" not in options:
        options["run"] = posix.environ.get(b"BUILDTEL_RUN", b"").decode("ascii", "replace")
    options["step"] = clean_name(options.get("step", ""))
    return options


def command_of(arguments: "list[str]") -> "Callable[[dict[str, str]], None] | None":
    """What a command line asks for; None for no command of ours. All but `watch` needs every part of the agent."""
    if arguments[:1] == ["watch"]:
        return watch
    load_later()
    _quietly(call_ourselves, b"bt-agent")
    return COMMANDS.get(arguments[0]) if arguments else None


def main(arguments: "list[str]") -> "int":
    """Exit status: 0, or 2 for wrong usage; telemetry that fails is no failure of the build."""
    if arguments[:1] == ["--version"]:
        print(__version__)
        return 0
    command = command_of(arguments)
    try:
        if command is None:
            raise ValueError("no such command: " + arguments[0] if arguments else "which command?")
        options = parse_arguments(arguments[1:] if arguments[0] != "run" else [])
    except ValueError as problem:
        load_later()
        sys.stderr.write("buildtel: %s\n%s" % (problem, USAGE))
        return 2
    try:
        command(options)
    except Exception as problem:
        words = "buildtel: %s: %s\n" % (type(problem).__name__, problem)
        _quietly(posix.write, 2, words.encode("ascii", "replace"))
    return 0


def _exit_now(status: "int") -> "None":
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            pass
    posix._exit(status)


if __name__ == "__main__":
    _exit_now(main(sys.argv[1:]))
