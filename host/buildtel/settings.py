"""The user's settings: flags, then environment, then configuration file, then defaults.

The file is `$XDG_CONFIG_HOME/buildtel/config.toml`; docs/store.md has a table of all settings.
Secret keys come from the environment or an AWS profile only, never from this file.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from platformdirs.unix import Unix

from buildtel.errors import UsageError
from buildtel.redact import Redactor

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

BUCKET = "appliance-telemetry"
TIMEOUT_S = 60.0
LARGEST = 1 << 20
NUMBERS = ("timeout_s",)

# Setting: the variables that hold it, strongest first. Flags and the file have the setting's own name.
VARIABLES: dict[str, tuple[str, ...]] = {
    "endpoint": ("MINIO_ENDPOINT", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"),
    "bucket": ("TELEMETRY_BUCKET",),
    "region": ("AWS_REGION", "AWS_DEFAULT_REGION"),
    "profile": ("AWS_PROFILE",),
    "ca_bundle": ("AWS_CA_BUNDLE",),
    "timeout_s": ("BUILDTEL_STORE_TIMEOUT_S",),
    "directory": (),
}


@dataclass(frozen=True, slots=True)
class S3Place:
    """A bucket and the way to it. `endpoint` None is AWS, or what the AWS profile says.

    `access_key` and `secret_key` None leave it to boto3's own search; `timeout_s` bounds one operation.
    """

    bucket: str
    endpoint: str | None = None
    region: str | None = None
    profile: str | None = None
    access_key: str | None = field(default=None, repr=False)
    secret_key: str | None = field(default=None, repr=False)
    ca_bundle: str | None = None
    timeout_s: float = TIMEOUT_S


def read_store_place(environ: Mapping[str, str], flags: Mapping[str, str | None]) -> Path | S3Place:
    """The directory or the bucket that documents go to; `$XDG_DATA_HOME/buildtel` if nothing names one.

    Args:
        environ: the environment.
        flags: settings from the command line, by their names in VARIABLES.

    Raises:
        UsageError: a setting is not usable.
    """
    if flags.get("directory"):
        return Path(str(flags["directory"])).expanduser()
    found = _found(environ, flags)
    if "endpoint" in found or "bucket" in found:
        return _s3(found, environ)
    return Path(found["directory"]).expanduser() if "directory" in found else _places().user_data_path


def read_redactor(
    environ: Mapping[str, str], expressions: Sequence[str] = (), secrets: Iterable[str] = (), *,
    keeps_output: bool = True,
) -> Redactor:  # fmt: skip
    """What hides secrets in documents.

    Args:
        environ: the environment.
        expressions: regular expressions of the command line; those of the setting `redact` come beside them.
        secrets: values that are known besides.
        keeps_output: whether documents may have output lines of a provisioner that failed.

    Raises:
        UsageError: an expression is no regular expression, or the configuration file is wrong.
    """
    found = _read_file(_places().user_config_path / "config.toml").get("redact", [])
    return Redactor(environ, [*found, *expressions], secrets, keeps_output=keeps_output)


def read_wants_page() -> bool:
    """Whether the configuration file asks for a page with each document: `html = true`.

    Raises:
        UsageError: the configuration file is wrong.
    """
    return bool(_read_file(_places().user_config_path / "config.toml").get("html", False))


def state_folder() -> Path:
    """`$XDG_STATE_HOME/buildtel`: where documents wait for a store that cannot be reached."""
    return _places().user_state_path


def _places() -> Unix:
    return Unix("buildtel", appauthor=False)


def _found(environ: Mapping[str, str], flags: Mapping[str, str | None]) -> dict[str, str]:
    """Each setting that somebody made, by the strongest word on it."""
    found = dict(_read_file(_places().user_config_path / "config.toml").get("store", {}))
    for name, variables in VARIABLES.items():
        words = [flags.get(name), *(environ.get(variable) for variable in variables)]
        said = next((word for word in words if word), None)
        if said is not None:
            found[name] = said
    return found


def _read_file(path: Path) -> dict[str, Any]:
    """The settings of the file: the table `store`, the list `redact`, `html`; empty if there is no file."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise UsageError(f"{path}: too large ({LARGEST >> 20} MB at most). See docs/store.md")
        content = tomllib.loads(data.decode("utf-8"))
    except FileNotFoundError:
        return {}
    except RecursionError:
        raise UsageError(f"{path}: not TOML: nested too deeply") from None
    except OSError as error:
        raise UsageError(f"can't read {path}: {error.strerror}") from None
    except ValueError as error:
        raise UsageError(f"{path}: not TOML: {error}") from None
    return _checked(content, path)


def _checked(content: dict[str, Any], path: Path) -> dict[str, Any]:
    table, expressions, html = content.pop("store", {}), content.pop("redact", []), content.pop("html", False)
    if content or not isinstance(table, dict):
        wrong = ", ".join(content) or "another store"
        raise UsageError(f"{path}: only a table [store], a list `redact` and `html` are allowed, not {wrong}")
    if not isinstance(expressions, list) or not all(isinstance(text, str) for text in expressions):
        raise UsageError(f"{path}: redact = {expressions!r} is no list of texts. Write redact = ['EXPRESSION', ...]")
    if not isinstance(html, bool):
        raise UsageError(f"{path}: html = {html!r} is {_kind(html)}. Write html = true")
    return {"store": _checked_store(table, path), "redact": expressions, "html": html}


def _checked_store(table: dict[str, Any], path: Path) -> dict[str, str]:
    for name, value in table.items():
        if name not in VARIABLES:
            raise UsageError(f"{path}: [store] has no setting {name!r}. Its settings are {', '.join(VARIABLES)}")
        wanted = (int, float) if name in NUMBERS else (str,)
        if not isinstance(value, wanted) or isinstance(value, bool):
            word = "number" if name in NUMBERS else "text in quotes"
            raise UsageError(f"{path}: [store] {name} = {value!r} is {_kind(value)}. Write a {word}")
    return {name: str(value) for name, value in table.items() if str(value)}


def _kind(value: object) -> str:
    """What a value of TOML is, in words."""
    named = {bool: "true or false", int: "a number", float: "a number", str: "a text", list: "a list", dict: "a table"}
    return named.get(type(value), "a date")


def _s3(found: Mapping[str, str], environ: Mapping[str, str]) -> S3Place:
    endpoint = found.get("endpoint")
    access, secret = environ.get("MINIO_ACCESS_KEY") or None, environ.get("MINIO_SECRET_KEY") or None
    if (access is None) != (secret is None):
        raise UsageError("MINIO_ACCESS_KEY and MINIO_SECRET_KEY belong together. Set both or none")
    if "ca_bundle" in found and not Path(found["ca_bundle"]).exists():
        raise UsageError(f"there is no CA bundle {found['ca_bundle']}. Correct AWS_CA_BUNDLE")
    return S3Place(
        bucket=found.get("bucket", BUCKET),
        endpoint=_checked_endpoint(endpoint) if endpoint else None,
        region=found.get("region"),
        profile=found.get("profile") if access is None else None,
        access_key=access,
        secret_key=secret,
        ca_bundle=found.get("ca_bundle"),
        timeout_s=_seconds(found.get("timeout_s")),
    )


def _checked_endpoint(endpoint: str) -> str:
    """The endpoint without a slash at its end; what it holds is not repeated, as it may hold a password."""
    try:
        parts = urlsplit(endpoint)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable:
        raise UsageError("the store's endpoint is not an address. Write it as http://HOST:PORT or https://HOST")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise UsageError("the endpoint has more than an address. Set keys by MINIO_ACCESS_KEY and MINIO_SECRET_KEY")
    return endpoint.rstrip("/")


def _seconds(text: str | None) -> float:
    if text is None:
        return TIMEOUT_S
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 3600:
        raise UsageError(f"the store's timeout is {text[:20]!r}. Write seconds, more than 0 and at most 3600")
    return value
