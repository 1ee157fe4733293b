"""A `python3` for the agent's tests that measures which of the agent's branches are taken.

`measure.py` makes a script of that name which runs this file as the agent is run, `-I -S`; its folder holds
`settings`, lines of: the real agent, the folder of coverage.py, the data file, the configuration.
"""

import marshal
import os
import posix
import sys

HERE = os.path.dirname(sys.argv[1])
AGENT, PACKAGES, DATA, CONFIG = open(HERE + "/settings").read().splitlines()


def real(words):
    """The real interpreter, with the words it was given: nothing of the agent's to measure."""
    os.execv(sys.executable, [sys.executable, *words])


def measured(words):
    """The agent, as `words` (file and arguments) ask for; the data is saved however it ends itself."""
    sys.path.insert(0, PACKAGES)
    import coverage

    sys.path.remove(PACKAGES)
    coverage_ = coverage.Coverage(data_file=DATA, data_suffix=True, config_file=CONFIG)

    def saving(call):
        def saved(*arguments):
            coverage_.stop()
            coverage_.save()
            return call(*arguments)

        return saved

    for name in ("_exit", "execv", "execve"):
        setattr(posix, name, saving(getattr(posix, name)))
    sys.argv = words
    sys.executable = HERE + "/python3"
    with open(words[0], "rb") as file:
        data = file.read()
    code = named(marshal.loads(data[16:])) if words[0].endswith("c") else compile(data, AGENT, "exec", 0, True, 2)
    coverage_.start()
    exec(code, {"__name__": "__main__", "__file__": AGENT})  # coverage.py goes by it, and the agent does not


def named(code):
    """Compiled code under the name of the file that is measured."""
    inner = tuple(named(item) if hasattr(item, "co_code") else item for item in code.co_consts)
    return code.replace(co_filename=AGENT, co_consts=inner)


words = sys.argv[2:]
if [os.path.basename(word) for word in words[2:3]] in (["buildtel_agent.py"], ["agent.pyc"]):
    measured(words[2:])
else:
    real(words)
