"""`python -m tests.vm.kernels`: real machines with Linux 6.1 and 6.12, and what is known of their steps.

Prints for each step where its accounts are from, its commands, what it waited for, and the causes of its time. Asserts
nothing: without KVM a machine is slow.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

from buildtel.insight.cause_account import cause_accounts
from buildtel.job import JobDocument
from buildtel.job.load import load_document
from buildtel.wire import copies

from .conftest import HERE, PACKER, made_base, run_packer

KINDS = {"6.1": (), "6.12": ("newer",)}


def built(folder: Path, image: Path) -> JobDocument:
    """The document of the build of `kernels.pkr.hcl` on an image, in an empty folder."""
    shutil.copy(HERE / "kernels.pkr.hcl", folder)
    copies.put(folder)
    log = folder / "packer.log"
    status = run_packer(folder, log, {"image": str(image)}, PACKER)
    assert status == 0, log.read_text()[-3000:]
    (document,) = (folder / "telemetry").glob("*.json")
    return load_document(document.read_bytes(), document.name)


def told(document: JobDocument) -> str:
    """What is known of each step of the machine, a line each."""
    (account,) = cause_accounts(document)
    lines = []
    for step in document.steps:
        if step.origin != "guest" or step.provisioner is None:
            continue
        causes: Counter[str] = Counter()
        for part in account.slices:
            if account.build.account[part.stretch].provisioner == step.provisioner.index:
                causes[part.cause] += part.seconds
        commands = ", ".join(f"{row.count} {row.name}" for row in (step.commands or [])[:4])
        waits = ", ".join(f"{row.duration_s:.1f} s {row.kind} {row.holder or ''}".strip() for row in step.waits or [])
        shares = ", ".join(f"{cause} {seconds:.1f}" for cause, seconds in causes.most_common())
        own = step.metrics.get("own_cpu_s")
        lines.append(
            f"  {step.name}: {step.metrics.get('duration_s')} s, exit {step.exit_code} by {step.exit_from}, accounts "
            f"by {step.accounts_from} ({step.commands_lost} lost), own CPU {own} s\n    commands: {commands}\n"
            f"    waits: {waits or 'none'}\n    causes: {shares}"
        )
    return "\n".join(lines)


def main() -> None:
    """As the module says."""
    for name, words in KINDS.items():
        with tempfile.TemporaryDirectory(prefix="kernels-") as folder:
            document = built(Path(folder), made_base(*words))
        (machine,) = [one for one in document.machines.values() if one.origin == "guest"]
        print(f"Linux {name}: {machine.kernel}, records missing: {document.integrity.missing}\n{told(document)}")


if __name__ == "__main__":
    sys.exit(main())
