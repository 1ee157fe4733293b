"""Worlds by what the machine is: login shells, environment, limits, Python, places, what somebody left there."""

from __future__ import annotations

from .world import ALL, World

ENV = "env {{ .Vars }} WRAP{{ .Path }}"
USER = ("pre", "run", "sudo")
SHELLS = (
    World("login shell fish", login="/usr/bin/fish"),
    World("login shell fish, env form", login="/usr/bin/fish", command=ENV),
    World("login shell csh", login="/bin/csh", command=ENV),
    World("login shell tcsh", login="/bin/tcsh", command=ENV),
    World("login shell mksh", login="/bin/mksh", forms=(*USER, "own")),
    World("login shell ksh93", login="/usr/bin/ksh93", forms=(*USER, "own")),
    World("login shell zsh", login="/usr/bin/zsh", forms=(*USER, "own")),
    World("login shell dash", login="/bin/dash", forms=ALL),
    World("login shell busybox", login="/run/ash", before="ln -s /bin/busybox /run/ash\n", forms=(*USER, "own")),
    World("login shell posix bash", login="/run/sh", before="ln -s /bin/bash /run/sh\n"),
    World("/bin/sh is bash", before="mount --bind /bin/bash /bin/dash\n", caller='exec "$@"'),
    World("/bin/sh is busybox", before="mkdir /mnt/b; cp /bin/busybox /mnt/b/; mkdir /mnt/o; mount -t tmpfs none /mnt/o; mkdir /mnt/o/up /mnt/o/w\n"
          "mount -t overlay -o lowerdir=/usr/bin,upperdir=/mnt/o/up,workdir=/mnt/o/w none /usr/bin; ln -sf busybox /usr/bin/sh\n"),
    World("fish fails", "exit 3", login="/usr/bin/fish", status=3),
    World("csh is killed", "kill -9 $$", login="/bin/csh", command=ENV, status=137),
    World("fish in a begin block", login="/usr/bin/fish", command="begin; {{ .Vars }} WRAP{{ .Path }}; end", forms=("pre",)),
    World("a user with sudo", who="user", forms=(*USER, "own")),
    World("a user with sudo, fish", who="user", login="/usr/bin/fish"),
    World("a user, killed", "kill -9 $$", who="user", status=137, forms=("pre", "run")),
    World("a user whose stdout is a pipe of root's", who="user", stdio="pipes of root", measured=None),
    World("inside sudo, by a user", who="user", forms=("inside",), measured=None),
    World("a login shell without read permission", who="user", login="/opt/locked", forms=("pre",),
          before="cp /bin/bash /opt/locked; chmod 711 /opt/locked\n"),
)  # fmt: skip
ENVIRONMENTS = (
    World("SHELLOPTS=pipefail", env=("SHELLOPTS=pipefail",), forms=(*USER, "own")),
    World("SHELLOPTS=errexit:nounset:noclobber:noglob", env=("SHELLOPTS=errexit:nounset:noclobber:noglob",)),
    World("SHELLOPTS=xtrace", env=("SHELLOPTS=xtrace",), forms=("pre",), accepted=r"^\+ ",
          known="one line more for one command more"),
    World("POSIXLY_CORRECT", env=("POSIXLY_CORRECT=1",)),
    World("ENV and BASH_ENV print", env=("ENV=/opt/env", "BASH_ENV=/opt/env"), before="echo 'echo from env' >/opt/env\n"),
    World("ENV and BASH_ENV are missing", env=("ENV=/opt/none", "BASH_ENV=/opt/none")),
    World("BASH_ENV exits", env=("BASH_ENV=/opt/env",), before="echo 'trap : EXIT; set -e' >/opt/env\n"),
    World("exported functions named like builtins", forms=("pre", "run"),
          env=("BASH_FUNC_echo%%=() { builtin echo mine; }", "BASH_FUNC_kill%%=() { builtin echo mine; }",
               "BASH_FUNC_read%%=() { builtin echo mine; return 1; }")),
    World("the same, /bin/sh is bash", "exit 4", before="mount --bind /bin/bash /bin/dash\n", look=False, forms=("pre", "sudo"),
          measured=None, env=("BASH_FUNC_read%%=() { builtin echo mine; return 1; }", "BASH_FUNC_echo%%=() { builtin echo mine; }")),
    World("a locale that is not there, /bin/sh is bash", before="mount --bind /bin/bash /bin/dash\n",
          env=("LC_ALL=xx_XX.UTF-8",), accepted="setlocale", known="one warning of bash more, for one shell more"),
    World("PATH=/opt/none", env=("PATH=/opt/none",), command="{{ .Vars }} WRAP{{ .Path }}", step="echo out; exit 4",
          forms=("pre",), measured=None, look=False, accepted="chmod"),
    World("environment_vars PATH=/opt/tool/bin with sudo", vars="PATH='/opt/tool/bin' PLAIN=x ",
          before="mkdir -p /opt/tool/bin\n", step="echo $PATH; exit 4", look=False, forms=("pre", "sudo")),
    World("PATH begins with the folder of the step", env=("PATH=.:/usr/sbin:/usr/bin:/sbin:/bin",),
          before="for n in sh mv cat date sleep rm mkdir python3; do printf '#!/bin/sh\\necho fake $0\\n' >/home/step/$n; "
                 "chmod 755 /home/step/$n; done\n", forms=("pre",), measured=None),
    World("no HOME, no USER, no SHELL", caller="unset HOME USER SHELL; exec \"$@\""),
    World("TMPDIR is missing", env=("TMPDIR=/no/such/folder",)),
    World("IFS and CDPATH", env=("IFS=x/", "CDPATH=/var")),
    World("LD_LIBRARY_PATH of another system", env=("LD_LIBRARY_PATH=/opt/lib",)),
    World("the folder of the step was removed", caller='mkdir /tmp/gone; cd /tmp/gone; rmdir /tmp/gone; exec "$@"',
          accepted="getcwd", step="exit 4"),
    World("umask 0777", caller='umask 0777; exec "$@"'),
    World("umask 0", caller='umask 0; exec "$@"'),
    World("modules in the folder of the step",
          before="cd /home/step; for n in os json signal sitecustomize select time; do "
                 "echo 'print(\"mine\"); raise SystemExit(9)' >$n.py; done\n",
          env=("PYTHONPATH=/home/step",)),
)  # fmt: skip
# A garbage name that is `before`: install meets it, too; `setup`: only the step.
GREETS = "printf '#!/bin/sh\\necho Welcome to conda base; echo base >./conda; exec /mnt/python \"$@\"\\n' >/mnt/greets; chmod 755 /mnt/greets; cp $(readlink -f /usr/bin/python3) /mnt/python; no_python /mnt/greets\n"
FALSE = "printf '#!/bin/sh\\n%s\\n' >/mnt/odd; chmod 755 /mnt/odd; no_python /mnt/odd\n"
PYTHONS = (
    World("python3 hangs", before=FALSE % "exec sleep 1000", measured=None),
    World("python3 prints without end", before=FALSE % "exec yes", measured=None),
    World("python3 greets and makes ./conda", before=GREETS, measured=None, left="^/home/step/conda$"),
    World("python3 fails", before=FALSE % "exit 1", measured=None),
    World("python3 kills itself", before=FALSE % "kill -9 $$", measured=None),
    World("python3 forks and stays", before=FALSE % "sleep 1000 & exit 0", measured=None, left="sleep 1000"),
    World("python3 is Python 2", before=FALSE % "echo 'SyntaxError: invalid syntax' >&2; exit 1", measured=None),
    World("PYTHONHOME is garbage", env=("PYTHONHOME=/no/such",)),
    World("PYTHONPATH, PYTHONSTARTUP, PYTHONINSPECT", env=("PYTHONPATH=/x", "PYTHONSTARTUP=/x", "PYTHONINSPECT=1")),
    World("PYTHONMALLOC and PYTHONWARNINGS odd", env=("PYTHONMALLOC=odd", "PYTHONWARNINGS=error", "PYTHONUTF8=7")),
    World("Python goes after install", setup="no_python\n", measured=None),
    World("Python hangs after install", ours=FALSE % "exec sleep 1000", measured=None),
    World("Python goes, and the sampler dies", ours="no_python\nkill -9 $(life)\n", measured=None),
    World("the interpreter named is missing", ours="echo /no/such >/var/tmp/buildtel/interpreter\nkill -9 $(life)\n",
          measured=None),
    World("the compiled copy is garbage", ours="echo garbage >/var/tmp/buildtel/agent.pyc\nkill -9 $(life)\n",
          measured=None),
    World("only RHEL's platform-python", measured=None,
          before="mkdir /mnt/lib; cp /usr/bin/python3.11 /mnt/lib/platform-python; no_python\n"
                 "mkdir -p /mnt/libexec; cp -a /usr/libexec/. /mnt/libexec/; mv /mnt/lib/platform-python /mnt/libexec/\n"
                 "mount --bind /mnt/libexec /usr/libexec\n"),
)  # fmt: skip
LIMITS = (
    World("ulimit -f 0", caller='ulimit -f 0; exec "$@"'),
    World("ulimit -n 10", caller='ulimit -n 10; exec "$@"', head="#!/bin/bash", measured=None,
          forms=("pre", "sudo"), known="`sh FILE` needs an eleventh file itself: no `run`"),
    World("ulimit -n 4", caller='ulimit -n 4; exec "$@"', head="#!/bin/bash", measured=None, look=False, forms=("pre",)),
    World("ulimit -v 300 MB", caller='ulimit -v 300000; exec "$@"', measured=None),
    World("ulimit -t 5", caller='ulimit -t 5; exec "$@"'),
    World("ulimit -s 256", caller='ulimit -s 256; exec "$@"', measured=None, forms=("pre", "run")),
    World("ulimit -c 0 and -l 0", caller='ulimit -c 0; ulimit -l 0; exec "$@"'),
    World("two processes left", who="user", caller='ulimit -u 3; exec "$@"', measured=None, forms=("pre", "run"),
          look=False, known="with no process left no command runs, nor does ours"),
    World("fds 3 to 8 are the caller's", forms=("run",),
          caller='exec 3</dev/null 4>/home/step/four 5<>/home/step/five 6>&1 7>&2 8<&0; exec "$@"'),
    World("fds 3 to 9 are the caller's", forms=("pre", "sudo"),
          known="in a `run` dash passes on the file that it reads, as fd 10",
          caller='exec 3</dev/null 4>/home/step/four 5<>/home/step/five 6>&1 7>&2 8<&0 9</etc/passwd; exec "$@"'),
    World("a pipe of the caller's on fd 9", caller='{ "$@" 9>&3; s=$?; exec 3>&-; exit $s; } 3>/home/step/three'),
    World("stdin closed", caller='exec <&-; exec "$@"'),
    World("stdout closed", caller='exec >&-; exec "$@"', measured=None, step="echo err >&2; exit 4"),
    World("stderr closed", caller='exec 2>&-; exec "$@"', step="echo out; exit 4"),
    World("all closed", caller='exec <&- >&- 2>&-; exec "$@"', measured=None, step="exit 4"),
    World("stdin is a file", caller='exec </etc/passwd; exec "$@"', step="head -n 1; exit 4"),
    World("stdout is a file", caller='exec >/home/step/out.log; exec "$@"', measured=None),
    World("stdout is a file, appended", caller='exec >>/home/step/out.log; exec "$@"', measured=None),
    World("stdout is /dev/null", caller='exec >/dev/null; exec "$@"', measured=None),
    World("stdout is /dev/full", caller='exec >/dev/full; exec "$@"', step="echo x || exit 4", measured=None),
    World("stdout is a socket", measured=None, forms=("pre", "run"),
          caller="exec perl -MSocket -e 'socketpair(A, B, AF_UNIX, SOCK_STREAM, 0); if (!($p = fork)) { "
                 "open(STDOUT, \">&A\"); close A; close B; exec @ARGV } close A; print while <B>; waitpid $p, 0; "
                 "exit $? >> 8' \"$@\""),
    World("stdout is stdin's socket, as inetd gives it", forms=("pre",), measured=None, step="echo out; exit 4",
          caller="exec perl -MSocket -e 'socketpair(A, B, AF_UNIX, SOCK_STREAM, 0); if (!($p = fork)) { "
                 "open(STDIN, \"<&A\"); open(STDOUT, \">&A\"); close A; close B; exec @ARGV } close A; print while <B>; "
                 "waitpid $p, 0; exit $? >> 8' \"$@\""),
    World("stderr and stdout are one pipe", caller='exec 2>&1; exec "$@"'),
    World("signals ignored by the caller", caller="trap '' HUP INT QUIT TERM USR1 PIPE CHLD; exec \"$@\""),
    World("signals blocked by the caller",
          caller="exec perl -MPOSIX -e 'sigprocmask(SIG_BLOCK, POSIX::SigSet->new(SIGTERM, SIGHUP, SIGUSR1, SIGALRM, "
                 "SIGCHLD)); exec @ARGV' \"$@\""),
    World("a timer of the caller's", caller="exec perl -e 'alarm 30; exec @ARGV' \"$@\""),
    World("one CPU only", caller='exec taskset -c 0 "$@"'),
    World("idle priority", caller='exec chrt -i 0 "$@"', within_s=3),
    World("a terminal", stdio="pty", stdin=""),
    World("a terminal, user", stdio="pty", who="user", stdin=""),
    World("a terminal, the step fails", "exit 3", stdio="pty", status=3, stdin=""),
    World("a terminal, a background process", "sleep 0.3 & exit 4", stdio="pty", stdin=""),
    World("a full pipe, nobody reads for 4 s", "echo err >&2; exit 4", stall_s=4, measured=None,
          caller='head -c 65535 /dev/zero | tr "\\0" z; echo; exec "$@"'),
    World("a slow reader", "head -c 300000 /dev/zero | tr '\\0' z; exit 4", stall_s=3),
)  # fmt: skip
