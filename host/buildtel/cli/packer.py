"""`packer ARGS…`: runs Packer unchanged, and reports at its end where each second went."""

from __future__ import annotations

import _thread
import os
import resource
import signal
import sys
import time
from contextlib import suppress
from functools import partial
from types import SimpleNamespace

from buildtel.errors import BuildtelError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:  # Packer's start does not wait for it
    import argparse
    from collections.abc import Callable, Collection

    from buildtel.capture.packer_process import PackerProcess
    from buildtel.insight.usual import Usual
    from buildtel.live.last_documents import LastBuilds
    from buildtel.local.keeping import Kept
    from buildtel.local.logs import SpoolSources

HELP = frozenset(("-h", "-help", "--help"))
TERMINATION_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Our flags stand before Packer's words; those with a value take the next word.
FLAGS = {
    "--live": 1, "--job": 1, "--version": 1, "--spool": 1, "--redact": 1, "--no-output": 0, "-o": 1, "--output": 1,
    "--html": 0, "--open": 0, "-q": 0, "--quiet": 0, "-h": 0, "--help": 0,
}  # fmt: skip

QUIET = frozenset(("-q", "--quiet"))
LEAST_PRIORITY = 19  # of a thread that imports: Packer has the processors
OURS_ALONE = frozenset((
    "--live", "--job", "--spool", "--redact", "--no-output", "--html", "--open", "-o", "--output", "-q", "--quiet",
))  # fmt: skip


def wrapped(words: list[str]) -> list[str]:
    """`words` with a `--` between our flags and Packer's own words, some of which look like flags.

    A last word that lacks its value is Packer's: `buildtel-host packer --version` is.
    """
    at = 0
    while at < len(words):
        name, _, value = words[at].partition("=")
        step = 1 + (FLAGS.get(name, 0) if not value else 0)
        if name not in FLAGS or at + step > len(words):
            break
        at += step
    return words if words[at : at + 1] == ["--"] else [*words[:at], "--", *words[at:]]


def simple(words: list[str]) -> SimpleNamespace | None:
    """The arguments of a command line without a flag of ours but `-q`; of any other None: argparse reads it.

    argparse gives the same and takes a tenth of what the wrapper adds to a build.
    """
    all_words = wrapped(words)
    at = all_words.index("--")
    if not QUIET.issuperset(all_words[:at]):
        return None
    return SimpleNamespace(
        words=all_words[at + 1 :], quiet=at > 0, live="never", job=None, version=None, spool=[], ssh=[], output=None,
        redact=[], no_output=False, html=False, open=False,
    )  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    from buildtel.cli.page_beside import add_html
    from buildtel.cli.redact_flags import add_redaction

    flags = "[--live MODE] [--job NAME] [--version V] [--spool FILE] [--redact REGEX] [--no-output]"
    flags += " [-o FILE] [--html] [--open] [-q]"
    parser.usage = f"buildtel-host packer {flags} build ..."
    parser.add_argument("words", metavar="ARGS", nargs="*", help="Packer's own arguments, as in `packer build .`")
    parser.add_argument(
        "--live", choices=("always", "never"), default="never",
        help="always: show progress below Packer's output, which then uses pipes (default: never; see `live`)",
    )  # fmt: skip
    parser.add_argument("--job", metavar="NAME", help="the job's name (default: build)")
    parser.add_argument(
        "--version", metavar="V", help="the appliance's version (default: the CI's tag, `git describe`, or 0)"
    )
    parser.add_argument(
        "--spool", metavar="FILE", action="append", default=[],
        help="spool file that this build downloads; it has all records (repeatable)",
    )  # fmt: skip
    parser.set_defaults(ssh=[])
    add_redaction(parser)
    add_html(parser)
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="file to write the document to (default: in $TELEMETRY_DIR)"
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="print errors only, no report")


def run(args: argparse.Namespace) -> int:
    """Packer's own exit status, even if the telemetry fails."""
    from buildtel.capture.packer_process import find_packer, subcommand

    if args.output == "-":
        raise UsageError("packer -o -: standard output belongs to Packer. Name a file")
    if args.redact:
        from buildtel.cli.redact_flags import redactor_of

        redactor_of(args)  # said before Packer begins
    if not args.words:
        raise UsageError("packer: no command of Packer's given. Example: `buildtel-host packer build .`")
    packer = find_packer(os.environ)
    command = [packer or "packer", *args.words]
    if packer is None or subcommand(args.words) != "build" or not HELP.isdisjoint(args.words):
        return _alone(command)
    try:
        log = _log_path(args)
        meanwhile = _Meanwhile(args)
        process = _process(args, command, log, meanwhile)
    except Exception as error:
        _say(f"this build is not measured: {_one_line(error)}")
        return _alone(command)
    return _build(args, process, log, meanwhile)


def _alone(command: list[str]) -> int:
    """Replace this process by Packer, without measuring; errors are those of a shell."""
    from buildtel.capture.command import become

    return become(["packer", *command[1:]], os.environ)


def _process(args: argparse.Namespace, command: list[str], log: str, meanwhile: _Meanwhile) -> PackerProcess:
    """Packer, ready to run."""
    if args.live == "always":
        from buildtel.live.view_below import ViewBelow

        return ViewBelow(meanwhile.usual).process(command, log)
    from buildtel.capture.packer_process import PackerProcess

    return PackerProcess(command, os.environ, log)


def _build(args: argparse.Namespace, process: PackerProcess, log: str, meanwhile: _Meanwhile) -> int:
    _ignore_termination()
    process.relay.begun = partial(meanwhile.begin, process.relay.begun)
    try:
        status, problem = process.run()
    except OSError as error:
        with suppress(OSError):
            os.unlink(log)
        _say(f"this build is not measured: {_one_line(error)}")
        return _alone(list(process.command))
    try:
        _account(args, log, problem, process.secrets, meanwhile)
    except Exception as error:
        _say(f"this build has no document: {_one_line(error)}; its log: {log}")
    misplaced = _misplaced(args.words)
    if misplaced and status:
        _say(f"Packer got {misplaced}, which is buildtel's. Write `buildtel-host packer {misplaced} build ...`")
    for number in TERMINATION_SIGNALS:
        signal.signal(number, signal.SIG_IGN)  # even Python's own end takes time
    return _as_packer(os.waitstatus_to_exitcode(status))


class _Meanwhile:
    """Loads while Packer runs: the modules for the report, whose imports take most of its time, and the last builds."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.began_s = time.time()
        self._args = args
        self._builds: LastBuilds | None = None
        self._is_over = False

    def begin(self, also: Callable[[], None]) -> None:
        """Load in a thread; do something before that.

        Args:
            also: what to do first.
        """
        also()
        _thread.start_new_thread(self._load, ())

    def usual(self) -> Usual:
        """How long each phase usually takes; nothing where that is not known (yet)."""
        from buildtel.insight.usual import Usual

        return self._builds.usual if self._builds is not None else Usual()

    def end(self) -> Usual:
        """Packer has ended: read no builds from now on; gives how long each phase usually took before."""
        self._is_over = True
        return self.usual()

    def _load(self) -> None:
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, _thread.get_native_id(), LEAST_PRIORITY)
        with suppress(Exception):  # it is said when the account is made
            import buildtel.cli.collect
            import buildtel.cli.show
            import buildtel.local.keeping
            import buildtel.report.end_view
            import buildtel.report.form_table
            import buildtel.report.job_view
            import buildtel.report.terminal_steps  # noqa: F401
        with suppress(Exception):
            if not self._is_over and (not self._args.quiet or self._args.live == "always"):
                from buildtel.cli.stores import open_store
                from buildtel.live.last_documents import LastBuilds

                self._builds = LastBuilds(self._args.job or "build", open_store)
                self._builds.read()


def _misplaced(words: list[str]) -> str | None:
    """A flag of buildtel's among Packer's arguments, which Packer does not know."""
    return next((word for word in words if word.partition("=")[0] in OURS_ALONE), None)


def _ignore_termination() -> None:
    """Survive the signals that end Packer: a cancelled build gets its report, too."""
    for number in TERMINATION_SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda _number, _frame: None)


def _log_path(args: argparse.Namespace) -> str:
    """A new file for the log, with the name of the later document."""
    from datetime import datetime, timezone

    from buildtel.local.folders import log_path
    from buildtel.naming import stem_of

    return log_path(os.environ, stem_of(args.job or "build", datetime.now(timezone.utc)))


def _account(
    args: argparse.Namespace, log: str, problem: str | None, secrets: Collection[str], meanwhile: _Meanwhile
) -> None:
    """Write the document, then print the report; the page, if one is wanted, comes last."""
    from buildtel.cli.redact_flags import redactor_of
    from buildtel.local.folders import LOG_SUFFIX
    from buildtel.local.keeping import Request, keep

    stem = os.path.basename(log).removesuffix(LOG_SUFFIX)
    began_s = meanwhile.began_s
    request = Request(log, redactor_of(args, secrets), args.output, args.job, args.version, stem=stem, began_s=began_s)
    usual = meanwhile.end()
    kept = keep(request, _spools(args, began_s))
    if problem:
        _say(f"the log is incomplete: {problem}")
    if not args.quiet:
        _report(kept, log, usual)
    _page(args, kept)


def _report(kept: Kept, log: str, usual: Usual) -> None:
    """Print the report on standard error: standard output is Packer's."""
    from buildtel.cli.collect import print_result
    from buildtel.cli.show import show
    from buildtel.report.end_view import EndView, end_sentences

    try:
        print(f"log: {log}", file=sys.stderr)
        print_result(kept, "table", sys.stderr)
        sentences = tuple(end_sentences(kept.document, usual))
        if sentences:
            print(file=sys.stderr)
            show(EndView(sentences), "table", sys.stderr)
        sys.stderr.flush()
    except (OSError, ValueError) as error:
        _say(f"the report could not be printed: {_one_line(error)}; document: {kept.path}")


def _page(args: argparse.Namespace, kept: Kept) -> None:
    """Write the page, if it is wanted; what goes wrong is said, and the document and its report stay."""
    from buildtel.cli.page_beside import write_page

    try:
        if kept.path is not None:
            write_page(args, kept.document, kept.path)
    except Exception as error:
        _say(f"there is no page: {_one_line(error)}; document: {kept.path}")


def _spools(args: argparse.Namespace, began_s: float) -> SpoolSources:
    """The spools that this build downloaded; a file that is missing or older than the build is a note, not an error."""
    from buildtel.cli.collect import spool_sources

    new = [name for name in args.spool if os.path.isfile(name) and os.stat(name).st_mtime >= began_s - 1]
    sources = spool_sources(new, args)
    for name in args.spool:
        if name not in new:
            sources.note(f"--spool {name}: this build did not download it")
    return sources


def _say(text: str) -> None:
    """Print one line on standard error; ignore a closed stream."""
    try:
        os.write(2, f"buildtel-host: {text}\n".encode("utf-8", "replace"))
    except OSError:
        return


def _one_line(error: BaseException) -> str:
    named = "" if isinstance(error, BuildtelError | OSError) else f"{type(error).__name__}: "
    return " ".join(f"{named}{error}".split())


def _as_packer(code: int) -> int:
    """End as Packer did: with its exit status, or by the same signal. Output that can't be printed is dropped."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):  # noqa: PERF203
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    if code >= 0:
        os._exit(code)  # Python's own end would take what is left of the wall
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if -code != signal.SIGKILL:
        signal.signal(-code, signal.SIG_DFL)
    os.kill(os.getpid(), -code)
    return 128 - code
