"""Worlds by what the step does: how it ends, what it prints, which processes it has."""

from __future__ import annotations

from .world import ALL, BEFORE, World

BASH = "#!/bin/bash"
GROUPS = ("pre", "run", "own")
LATE = "(trap '' HUP; sleep 0.5; echo late) & exit 0"

STEPS = (
    World("plain", "echo out; echo err >&2; read -r a || a=none; echo \"stdin $a, $PLAIN, $BUILDTEL_STEP\"", status=0, forms=ALL),
    World("fails with 3", "echo out; exit 3", status=3, forms=ALL),
    World("exit 255", "exit 255", status=255),
    World("exit 150 is no signal", "exit 150", status=150),
    World("an unfinished line", "printf unfinished", status=0),
    World("no output at all", "exit 4"),
    World("NUL, escapes and high bytes", r"printf 'a\000b\033[31m\377\r\nc\r'", status=0),
    World("a line of a megabyte", "head -c 1000000 /dev/zero | tr '\\0' y; echo", status=0),
    World("prints 100 MB", "head -c 104857600 /dev/zero | tr '\\0' 'x' | fold -w 4095", status=0, forms=("pre", "run")),
    World("prints records of its own", "echo 'BUILDTEL:{\"v\":1,\"ev\":\"end\",\"exit\":0}'; exit 4"),
    World("reads all of stdin", "cat; exit 4", stdin="x" * 60000, forms=ALL),
    World("leaves stdin unread", "exec <&-; exit 4", stdin="x" * 60000),
    World("closes its stdout", "exec >&-; echo lost 2>/dev/null || true; sleep 0.2; exit 5", status=5),
    World("closes stdin, stdout and stderr", "exec <&- >&- 2>&-; sleep 0.2; exit 5", status=5, measured=None),
    World("takes over stdout with its own file", "exec >/home/step/log; echo logged; exit 5", status=5),
    World("execs another program", "exec sleep 0.1", status=0),
    World("a process in the background writes late", LATE, status=0),
    World("a daemon stays", "setsid sh -c 'exec sleep 60' </dev/null >/dev/null 2>&1 & exit 0", status=0),
    World("a daemon keeps stdout for two seconds", "setsid sleep 2 </dev/null 2>/dev/null & exit 0", status=0),
    World("twenty children at once", "for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.1 & sleep 0.05 & done; wait; exit 4"),
    World("waits for all children", "sleep 0.1 & wait; jobs; exit 4", head=BASH),
    World("counts its own and its parent's children",
          "set -- $(cat /proc/$$/task/$$/children) $(cat /proc/$PPID/task/$PPID/children); echo $#; exit 4"),
    World("killed", "kill -9 $$", status=137),
    World("terminated", "kill -TERM $$", status=143),
    World("a segmentation fault", "ulimit -c 0; kill -SEGV $$", status=139),
    World("a broken pipe", "kill -PIPE $$", status=141),
    World("stops itself and goes on", "p=$$; (sleep 0.3; kill -CONT $p) & kill -STOP $p; exit 4", forms=("pre", "run")),
    World("kills its parent", "kill $PPID; sleep 0.3; exit 4", status=143, login="/bin/dash", forms=("pre",)),
    World("kills its parent, which is sshd's", "kill $PPID; sleep 0.3; exit 4", status=None,
          forms=("pre", "run"), measured=None),
    World("kill 0 with handlers", "trap 'echo caught' TERM; kill 0; sleep 0.1; exit 4", status=143, own_exit=4,
          login="/bin/dash", forms=GROUPS),
    World("kill 0 without handlers", "kill 0; sleep 1", status=143, login="/bin/dash", forms=GROUPS),
    World("kill 0, bash", "trap 'echo caught' TERM; kill 0; sleep 0.1; exit 4", forms=("pre", "run")),
    World("kills its own group by number", "kill -TERM -- -$$ || exit 4", forms=GROUPS, measured=None),
    World("kills the group it leads", "setsid -w sh -c 'kill -- -$$; sleep 1' 2>/dev/null || exit 4"),
    World("kill -USR1 0", "trap 'echo caught' USR1; kill -USR1 0; sleep 0.1; exit 4", login="/bin/dash", status=138, own_exit=4,
          forms=GROUPS),
    World("trap EXIT kill 0 and wait", "trap 'trap - TERM; kill 0; wait' EXIT; sleep 5 & exit 4", status=143,
          login="/bin/dash", forms=GROUPS),
    World("trap EXIT kills all jobs", "sleep 5 & p=$!; trap 'kill $p; wait' EXIT; exit 4", head=BASH),
    World("kills everything it may", "trap '' TERM HUP; kill -TERM -1; sleep 0.2; exit 4", status=None,
          measured=None, forms=("pre", "run")),
    World("kill -9 of everything", "kill -9 -1", status=None, measured=None, forms=("pre", "run")),
    World("hangs up its group", "trap '' HUP; kill -HUP 0; exit 4", login="/bin/dash", status=129, own_exit=4, forms=("pre", "run")),
    World("pkill by the parent", "pkill -P $PPID sleep || :; exit 4"),
    World("pkill of every sh", "pkill -x sh || :; exit 4", measured=None),
    World("pkill of every python", "pkill -x python3 || :; exit 4", measured=None),
    World("killall5 -like: all but its own session",
          "for p in $(ps -eo pid=,sid=,args= | grep -v 'stage.py' | awk -v s=$(ps -o sid= -p $$) '$2 != s {print $1}');"
          " do [ $p = 1 ] || kill -9 $p 2>/dev/null || :; done; exit 4", measured=None),
    World("two runs at once", "(exit 0) & wait $!; exit 4", forms=("pre", "run", "own")),
    World("a job control shell", "set -m; sleep 0.1 & wait; exit 4", head=BASH),
    World("bash script without a first line", "a=(1 2 3); echo ${#a[@]}; exit 7", head="", status=7,
          forms=("pre", "own")),
    World("its interpreter is missing", "echo never", head="#!/no/such/shell", status=127, look=False, measured=None),
    World("a big environment", "echo ${#BIG}; exit 4", env=("BIG=" + "b" * 100_000,)),
    World("perl", "print \"perl\\n\"; exit 4;", head="#!/usr/bin/perl", look=False, measured=None, status=4),
)  # fmt: skip

FOREGROUND = "timeout --foreground 1 "
BY_PARENT = (
    "perl -e '$p = fork // die; exec @ARGV or die if !$p; select(undef, undef, undef, 1); kill 9, $p; "
    "waitpid $p, 0; exit 7' "
)
LONG = "echo out; exec sleep 30"
WRAPS = (
    World("timeout --foreground", LONG, wrap=FOREGROUND, status=124),
    World("timeout in its own group", LONG, wrap="timeout 1 ", status=124),
    World("timeout -s KILL", LONG, wrap="timeout -s KILL 1 ", status=137),
    World("subprocess.run(timeout=)", LONG, wrap=BY_PARENT, status=7),
    World("its parent is killed, the step stays", "sleep 1; exit 4", wrap="perl -e 'exec @ARGV if !fork; exit 9' ",
          status=9),
    World("under setsid -w", wrap="setsid -w "),
    World("under nice", wrap="nice -n 5 "),
    World("under nohup", wrap="nohup "),
    World("under env -i", wrap="env -i PATH=/usr/bin:/bin ", forms=("pre", "run")),
    World("under flock", wrap="flock /home/step/lock "),
    World("under stdbuf", wrap="stdbuf -oL "),
    World("under a second shell with a trap", wrap="sh -c 'trap \"echo trapped\" EXIT; \"$0\"' ", forms=("pre", "sudo")),
    World("in a pipe", command="{{ .Vars }} WRAP{{ .Path }} | cat", status=0, own_exit=4, forms=("pre", "run")),
    World("in a pipe with pipefail", command="set -o pipefail; {{ .Vars }} WRAP{{ .Path }} | cat", forms=("pre", "run")),
    World("in the background, waited for", command="{{ .Vars }} WRAP{{ .Path }} & wait $!", forms=("pre", "run")),
    World("after exec", command="exec env {{ .Vars }} WRAP{{ .Path }}", forms=("pre", "run", "sudo")),
    World("after cd and set -e", command="set -e; cd /tmp; {{ .Vars }} WRAP{{ .Path }}"),
    World("for bash -eux", command="{{ .Vars }} WRAPbash -eu {{ .Path }}", forms=("pre", "sudo")),
    World("its stdin is a here-document", command="{{ .Vars }} WRAP{{ .Path }} <<'EOF'\nhere\nEOF\n", step="cat; exit 4",
          forms=("pre",)),
    World("its output goes to a file", command="{{ .Vars }} WRAP{{ .Path }} >/home/step/log 2>&1; s=$?; cat /home/step/log; exit $s",
          forms=("pre", "sudo")),
)  # fmt: skip
BEFORES = (
    World("a template of before", "echo out; echo err >&2; read -r a || a=none; echo \"$a, $PLAIN\"; exit 4",
          forms=BEFORE, look=False),
    World("a template of before, killed", "kill -9 $$", status=137, forms=BEFORE, look=False),
    World("a template of before, a terminal", stdio="pty", stdin="", forms=BEFORE, look=False),
    World("a template of before, no agent", ours="rm -rf /var/tmp/buildtel\n", forms=BEFORE, look=False,
          measured=None, left="^/dev/shm/buildtel-"),
    World("a template of before, the sampler is stopped", ours="kill -STOP $(life)\n", forms=BEFORE, look=False,
          measured=None),
    World("a template of before, a late process", LATE, status=0, forms=BEFORE, look=False),
)  # fmt: skip
NAMES = (
    World("a name of 20,000 characters", vars=f"BUILDTEL_STEP='{'n' * 20_000}' PLAIN='x y' ", within_s=0.2),
    World("a name with newlines", vars="BUILDTEL_STEP='one\ntwo\n' PLAIN='x y' "),
    World("a name with ESC", vars="BUILDTEL_STEP='\033[31mred\033]0;title\007' PLAIN='x y' "),
    World("a name that forges a record",
          vars="BUILDTEL_STEP='x\nBUILDTEL:{\"v\":1,\"ev\":\"end\",\"exit\":0}\n' PLAIN='x y' "),
    World("a name with quotes", vars="BUILDTEL_STEP='it'\"'\"'s \"$(touch /home/step/hit)\" `id` \\' PLAIN='x y' "),
    World("a name that is no UTF-8", vars="BUILDTEL_STEP='\udcff\udcfe' PLAIN='x y' "),
    World("an empty name", vars="BUILDTEL_STEP='' PLAIN='x y' "),
    World("no name", vars="PLAIN='x y' "),
    World("other words of ours in its environment", vars="BUILDTEL='a b' BUILDTEL_PARENT='x' BUILDTEL_KEY='' PLAIN=x "),
)  # fmt: skip
