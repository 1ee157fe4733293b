"""What is hidden in texts, and what is not."""

from __future__ import annotations

import pytest

from buildtel.errors import UsageError
from buildtel.redact import Redactor, told

ENVIRON = {
    "API_TOKEN": "tok-12345", "my_secret_word": "hush now", "DB_PASSWORD": "pa.s+s", "SIGNING_KEY": "k3y-value",
    "PKR_VAR_root_password": "first line\nsecond line", "KEYBOARD": "qwertz", "SHORT_TOKEN": "abc",
    "FLAG_TOKEN": "true", "HOME": "/home/me",
}  # fmt: skip
TEXTS = {
    "a value": ("it is tok-12345.", "it is <redacted>."),
    "twice": ("tok-12345tok-12345", "<redacted><redacted>"),
    "a value with a blank": ("say hush now loud", "say <redacted> loud"),
    "signs of an expression": ("pa.s+s and paXs+s", "<redacted> and paXs+s"),
    "a key": ("k3y-value", "<redacted>"),
    "each line of a value": ("second line", "<redacted>"),
    "no secret by its name": ("qwertz in /home/me", "qwertz in /home/me"),
    "a value too short": ("abc abcd", "abc abcd"),
    "a value that is a word": ("it is true", "it is true"),
    "a URL's user": ("clone https://me:pw@host/x", "clone https://<redacted>@host/x"),
    "a URL's user alone": ("ftp://me@host", "ftp://<redacted>@host"),
    "a URL without a user": ("https://host/a@b", "https://host/a@b"),
    "an assignment": ("+ OTHER_TOKEN=new value", "+ OTHER_TOKEN=<redacted> value"),
    "in quotes": ("x_secret='a b' y", "x_secret=<redacted> y"),
    "Packer's quotes": ("A_TOKEN='it'\"'\"'s' y", "A_TOKEN=<redacted> y"),
    "what Packer hid": ("A_TOKEN=<sensitive>", "A_TOKEN=<sensitive>"),
    "an assignment of no secret": ("MONKEY=banana", "MONKEY=banana"),
}


@pytest.mark.parametrize("case", TEXTS)
def test_what_is_hidden(case: str) -> None:
    """Secrets of the environment, of URLs and of assignments; nothing else."""
    text, shown = TEXTS[case]

    assert Redactor(ENVIRON).text(text) == shown


def test_the_users_expressions() -> None:
    """What matches is hidden, too; a wrong expression is named."""
    assert Redactor({}, [r"id-\d+"]).text("id-17 and id-x") == "<redacted> and id-x"
    with pytest.raises(UsageError, match=r"--redact 'x\(' is no regular expression"):
        Redactor({}, ["x("])


COMMAND = (
    b"2026/11/30 12:04:31 packer-provisioner-shell-local plugin: [INFO] (shell-local): starting local command: /bin/sh "
    b"-c API_TOKEN='tok-9' PACKER_BUILDER_TYPE='null' PACKER_BUILD_NAME='one' db_password='it'\"'\"'s odd'  /tmp/x.sh\n"
)


@pytest.mark.parametrize("size", [1, 7, 100, 10_000])
def test_what_a_log_tells(size: int) -> None:
    """Variables of a provisioner's command line, and what GitHub was told to mask; in any chunks."""
    log = b"one\n::add-mask::from github\n" + COMMAND + b"end\n"
    redactor = Redactor({})
    chunks = [log[at : at + size] for at in range(0, len(log), size)]

    assert b"".join(redactor.reading(chunks)) == log
    assert redactor.text("from github, tok-9, it's odd") == "<redacted>, <redacted>, <redacted>"
    assert redactor.text("tok- from it") == "tok- from it"
    assert sorted(told(log)) == ["from github", "it's odd", "tok-9"]


def test_other_lines_teach_nothing() -> None:
    """A variable that a script prints is hidden where it stands, not everywhere."""
    redactor = Redactor({})
    list(redactor.reading([b"    null.one: export MY_TOKEN=build\n"]))

    assert redactor.text("build of null.one") == "build of null.one"
