"""Brings uPlot, which draws a page's charts, into the tree from npm's registry, or checks what is there.

`python host/vendor.py` fetches, checks npm's digest, and writes files, SOURCE.json and the SBOM; with `--check` it
compares the files with SOURCE.json and the SBOM, which needs no network.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import sys
import tarfile
import urllib.request
from pathlib import Path
from typing import Any

NAME, VERSION = "uplot", "1.6.32"
REGISTRY = "https://registry.npmjs.org"
FILES = {
    "uPlot.iife.min.js": "package/dist/uPlot.iife.min.js",
    "uPlot.min.css": "package/dist/uPlot.min.css",
    "LICENSE": "package/LICENSE",
}
FOLDER = Path(__file__).parent / "buildtel" / "page" / "vendor" / NAME
SOURCE, SBOM = FOLDER / "SOURCE.json", FOLDER / "uplot.cdx.json"


def main(words: list[str]) -> int:
    """Fetch or check; the exit status is 1 if something differs, 2 for wrong usage."""
    if words == ["--check"]:
        wrong = list(differing())
        print("\n".join(wrong) or f"{NAME} {VERSION}: as SOURCE.json says")
        return int(bool(wrong))
    if words:
        print(__doc__, file=sys.stderr)
        return 2
    write()
    return 0


def write() -> None:
    """Fetch the package and write its files.

    Raises:
        SystemExit: the package is another than the registry's digest says.
    """
    told = json.loads(fetched(f"{REGISTRY}/{NAME}/{VERSION}"))["dist"]
    data = fetched(told["tarball"])
    method, _, digest = told["integrity"].partition("-")
    if base64.b64encode(hashlib.new(method, data).digest()).decode() != digest:
        raise SystemExit(f"{told['tarball']}: another digest than {told['integrity']}")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(data)) as package:
        for name, member in FILES.items():
            file = package.extractfile(member)
            assert file is not None, member
            (FOLDER / name).write_bytes(file.read())
    source = {
        "name": NAME, "version": VERSION, "license": "MIT", "tarball": told["tarball"],
        "integrity": told["integrity"], "sha256": {name: sha256(name) for name in FILES},
    }  # fmt: skip
    SOURCE.write_text(json.dumps(source, indent=2) + "\n")
    SBOM.write_text(json.dumps(sbom(source), indent=2) + "\n")


def differing() -> list[str]:
    """What is not as SOURCE.json says, a line each."""
    source = json.loads(SOURCE.read_text())
    wrong = [f"{FOLDER / name}: changed" for name, digest in source["sha256"].items() if sha256(name) != digest]
    if (source["name"], source["version"], set(source["sha256"])) != (NAME, VERSION, set(FILES)):
        wrong.append(f"{SOURCE}: of another version; run `make vendor`")
    if json.loads(SBOM.read_text()) != sbom(source):
        wrong.append(f"{SBOM}: not what SOURCE.json gives; run `make vendor`")
    return wrong


def sbom(source: dict[str, Any]) -> dict[str, Any]:
    """The bill of materials (CycloneDX) that the wheel brings: the one library of others in it."""
    method, _, digest = source["integrity"].partition("-")
    content = base64.b64decode(digest).hex()
    component = {
        "type": "library", "name": source["name"], "version": source["version"],
        "purl": f"pkg:npm/{source['name']}@{source['version']}",
        "licenses": [{"license": {"id": source["license"]}}],
        "hashes": [{"alg": method.upper().replace("SHA", "SHA-"), "content": content}],
        "externalReferences": [{"type": "distribution", "url": source["tarball"]}],
    }  # fmt: skip
    return {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": [component]}


def sha256(name: str) -> str:
    """The digest of one of the files, in hex."""
    return hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()


def fetched(address: str) -> bytes:
    """What an address of the registry gives."""
    with urllib.request.urlopen(address, timeout=60) as answer:
        data: bytes = answer.read()
    return data


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
