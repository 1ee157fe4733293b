"""What TCP counts: as two kernels print it, read rarely, and what a real closed door makes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

import buildtel_agent as agent

NEW = (
    "Ip: Forwarding DefaultTTL\nIp: 2 64\n"
    "Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails EstabResets CurrEstab InSegs "
    "OutSegs RetransSegs InErrs OutRsts InCsumErrors\nTcp: 1 200 120000 -1 9 8 7 4 2 1000 2000 30 0 5 0\n",
    "TcpExt: SyncookiesSent TCPTimeouts TCPOFOQueue TCPSynRetrans\nTcpExt: 0 6 50 10\nIpExt: InNoRoutes\nIpExt: 3\n",
)
OLD = (NEW[0], "TcpExt: SyncookiesSent TCPTimeouts\nTcpExt: 0 6\n")  # of Linux 3.2


def kernel(folder: Path, snmp: str, netstat: str) -> agent.Kernel:
    """A kernel with these files."""
    (folder / "net").mkdir(exist_ok=True)
    (folder / "net/snmp").write_text(snmp)
    (folder / "net/netstat").write_text(netstat)
    return agent.Kernel(str(folder), str(folder / "no-sys"))


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        (NEW, [1000, 2000, 30, 4, 6, 10, 50]),
        (OLD, [1000, 2000, 30, 4, 6, None, None]),
        (("", OLD[1]), [None, None, None, None, 6, None, None]),
        (("Tcp: InSegs OutSegs\nTcp: 5\n", ""), [5, None, None, None, None, None, None]),
        (("Tcp: InSegs\n", "TcpExt: x\nIpExt: 1\n"), None),
        (("", ""), None),
    ],
)
def test_numbers_stand_below_their_names(
    files: tuple[str, str], wanted: list[int | None] | None, tmp_path: Path
) -> None:
    """Whatever other numbers a kernel has between; what it does not have is null, and nothing is no group."""
    found = kernel(tmp_path, *files)

    assert found.sampled().get("tcp") == wanted
    assert "tcp" not in found.counters()


@pytest.mark.parametrize(
    ("bytes_a_second", "wanted"), [(100, [0] * 10 + [10] * 10 + [20]), (1 << 16, list(range(21)))]
)
def test_a_quiet_machine_is_read_each_ten_seconds(
    bytes_a_second: int, wanted: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And told unchanged meanwhile; one that sends or receives is read at each sample."""
    now_s = [1000.0]
    monkeypatch.setattr(agent.time, "monotonic", lambda: now_s[0])
    found = kernel(tmp_path, *NEW)
    seen = []
    for second in range(21):
        now_s[0] = 1000.0 + second
        (tmp_path / "net/snmp").write_text(f"Tcp: InSegs\nTcp: {second}\n")
        (tmp_path / "net/dev").write_text(f"eth0: {second * bytes_a_second} 0 0 0 0 0 0 0 5 0\n")
        seen.append(found.sampled()["tcp"][0])

    assert seen == wanted


def test_figures_of_loss() -> None:
    """What was sent again but for requests of a connection; what came with a gap before."""
    start, end = {"tcp": [0, 0, 0, 0, 0, 0, 0]}, {"tcp": [400, 1000, 30, 2, 12, 10, 4]}
    figures = agent.metrics(start, end, 10.0)

    assert {name: value for name, value in figures.items() if name.startswith("tcp")} == {
        "tcp_retransmitted_percent": 2.0, "tcp_out_of_order_percent": 1.0, "tcp_timeouts": 12,
        "tcp_syn_retransmitted": 10, "tcp_resets": 2,
    }  # fmt: skip
