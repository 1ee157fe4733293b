"""Where the store is: flags before environment before file before default."""

from __future__ import annotations

from pathlib import Path

import pytest

from buildtel.errors import UsageError
from buildtel.settings import BUCKET, TIMEOUT_S, S3Place, read_store_place, state_folder

DEFAULT = Path("/data/buildtel")


def place(tmp_path: Path, file: str = "", flags: dict[str, str | None] | None = None, **environ: str) -> Path | S3Place:
    """What is settled on by a configuration file, flags and the environment."""
    if file:
        (tmp_path / "buildtel").mkdir(exist_ok=True)
        (tmp_path / "buildtel" / "config.toml").write_bytes(file.encode("utf-8", "surrogateescape"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path))
        patch.setenv("XDG_DATA_HOME", str(DEFAULT.parent))
        return read_store_place(environ, flags or {})


FILE = '[store]\nendpoint = "http://file:1"\nbucket = "file"\nregion = "eu-north-1"\ntimeout_s = 7\n'


@pytest.mark.parametrize(
    "environ", [{}, {"AWS_PROFILE": "work"}, {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}]
)
def test_without_endpoint_and_bucket_it_is_the_directory(tmp_path: Path, environ: dict[str, str]) -> None:
    """AWS credentials alone send nothing to anybody."""
    assert place(tmp_path, **environ) == DEFAULT


@pytest.mark.parametrize("variable", ["MINIO_ENDPOINT", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"])
def test_an_endpoint_makes_it_s3_with_the_originals_bucket(tmp_path: Path, variable: str) -> None:
    """The variables of the original and of AWS."""
    assert place(tmp_path, **{variable: "http://minio:9000/"}) == S3Place(
        BUCKET, "http://minio:9000", timeout_s=TIMEOUT_S
    )


def test_a_bucket_alone_is_one_of_aws(tmp_path: Path) -> None:
    """No endpoint, so boto3's."""
    assert place(tmp_path, TELEMETRY_BUCKET="mine", AWS_REGION="eu-central-1") == S3Place("mine", region="eu-central-1")


def test_the_strongest_word_counts(tmp_path: Path) -> None:
    """Setting by setting: what the flag does not say the environment does, and what that does not, the file."""
    found = place(tmp_path, FILE, {"bucket": "flag"}, AWS_ENDPOINT_URL="http://aws:1", MINIO_ENDPOINT="http://minio:1")

    assert found == S3Place("flag", "http://minio:1", region="eu-north-1", timeout_s=7.0)
    assert place(tmp_path, FILE, {"directory": "/flag"}, MINIO_ENDPOINT="http://minio:1") == Path("/flag")


def test_a_directory_may_stand_in_the_file(tmp_path: Path) -> None:
    """And gives way to an endpoint of the environment."""
    assert place(tmp_path, '[store]\ndirectory = "/srv/x"') == Path("/srv/x")
    assert isinstance(place(tmp_path, MINIO_ENDPOINT="http://minio:1"), S3Place)


def test_an_empty_variable_is_none(tmp_path: Path) -> None:
    """A CI sets variables of missing secrets to nothing."""
    assert place(tmp_path, MINIO_ENDPOINT="", TELEMETRY_BUCKET="", MINIO_ACCESS_KEY="", MINIO_SECRET_KEY="") == DEFAULT


def test_the_originals_keys_stand_before_a_profile(tmp_path: Path) -> None:
    """And never show in the text of a value."""
    keys = {"MINIO_ACCESS_KEY": "key-one", "MINIO_SECRET_KEY": "key-two"}
    found = place(tmp_path, MINIO_ENDPOINT="http://minio:1", AWS_PROFILE="work", **keys)

    assert isinstance(found, S3Place) and (found.access_key, found.secret_key) == ("key-one", "key-two")
    assert found.profile is None and "key-" not in repr(found)


MISTAKES = {
    "no toml": ("[store", {}, "not TOML"),
    "no text": ("\udcff", {}, "not TOML"),
    "deep": ("a = " + "[" * 100_000, {}, "not TOML"),
    "large": ("#" * (1 << 20) + "\n", {}, "too large"),
    "unknown setting": ('[store]\nsecret_key = "x"', {}, "has no setting 'secret_key'"),
    "unknown table": ("[shop]\na = 1", {}, r"only a table \[store\], a list `redact` and `html` are allowed, not shop"),
    "no table": ("store = 1", {}, r"only a table \[store\], a list `redact` and `html` are allowed"),
    "a list": ("[store]\nbucket = []", {}, "is a list. Write a text in quotes"),
    "half a key": ("", {"MINIO_ACCESS_KEY": "a"}, "belong together"),
    "no scheme": ("", {"MINIO_ENDPOINT": "minio:9000"}, "Write it as http://HOST:PORT"),
    "no port": ("", {"MINIO_ENDPOINT": "http://minio:99999"}, "Write it as http://HOST:PORT"),
    "a key in it": ("", {"MINIO_ENDPOINT": "http://a:b@minio"}, "more than an address"),
    "no bundle": ("", {"AWS_CA_BUNDLE": "/nowhere.pem"}, "no CA bundle /nowhere.pem"),
    "no time": ("", {"BUILDTEL_STORE_TIMEOUT_S": "soon"}, "more than 0"),
    "no patience": ("", {"BUILDTEL_STORE_TIMEOUT_S": "-1"}, "more than 0"),
}


@pytest.mark.parametrize(("file", "environ", "said"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_setting_that_is_none_is_wrong_usage(tmp_path: Path, file: str, environ: dict[str, str], said: str) -> None:
    """The error says which and the mend."""
    with pytest.raises(UsageError, match=said):
        place(tmp_path, file, {"bucket": "b"}, **environ)


def test_the_state_is_where_xdg_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or below the home."""
    monkeypatch.setenv("HOME", "/h")
    monkeypatch.setenv("XDG_STATE_HOME", "/s")
    assert state_folder() == Path("/s/buildtel")
    monkeypatch.delenv("XDG_STATE_HOME")
    assert state_folder() == Path("/h/.local/state/buildtel")
