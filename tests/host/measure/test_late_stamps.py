"""Stamps that come late, as those of `buildtel-host packer`, which reads the debug log each 40 ms."""

from __future__ import annotations

from datetime import timedelta

from ..job.test_fold import read
from ..samples import START, Guest, record_line

LATE_S = (0.001, 0.039, 0.002, 0.039, 0.039, 0.001)  # of the announcement and the start record of each step


def stamped(at_s: float, text: str) -> str:
    """A line as the wrapper keeps it."""
    return f"{(START + timedelta(seconds=at_s)).isoformat(timespec='milliseconds').replace('+00:00', 'Z')} {text}\n"


def test_each_step_has_its_provisioner_however_late_lines_are_stamped() -> None:
    """A record that stands behind its announcement is that provisioner's, though it was made before the late stamp."""
    guest, lines = Guest(), [stamped(0, "==> null.here: Using SSH communicator to connect: 127.0.0.1")]
    for number, late_s in enumerate(LATE_S):
        begun_s = 10.0 * (number + 1)
        (_, start), (_, end) = guest.step(f"aaaa0000000{number}", f"step {number}", begun_s + 0.01, begun_s + 9)
        lines.append(stamped(begun_s + late_s, f"==> null.here: Provisioning with shell script: ./{number}.sh"))
        lines.append(stamped(begun_s + max(late_s, 0.012), f"    null.here: {record_line(start)}"))
        lines.append(stamped(begun_s + 9 + late_s, f"    null.here: {record_line(end)}"))
    document = read("".join(lines).encode())

    assert [(step.name, step.provisioner and step.provisioner.index) for step in document.steps] == [
        (f"step {number}", number) for number in range(len(LATE_S))
    ]
