"""The causes that a second of a build can have, and the rules by which a sample tells one: data, with sources.

A rule holds where all its limits hold; the first rule that holds tells the sample's cause. A figure that a machine does
not tell holds no limit, so nothing is concluded from what is absent. docs/diagnosis.md is written from these tables
(`make schema`).

Sources of limits: PSI, https://docs.kernel.org/accounting/psi.html; systemd-oomd(8); netdata's alarm `steal` (10 %);
PCP's pmie rules for CPU and disks; the alarm CPUThrottlingHigh of kubernetes-mixin (25 % of periods). They lie below
alarms for servers, because a build step is the load itself.
"""

from __future__ import annotations

from dataclasses import dataclass

UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Cause:
    """What a second of a build was spent on.

    `id` is its name in JSON, `words` stand behind a duration in a sentence. `advice` says what would help. Only a cause
    that is `avoidable` can be more than a remark: a machine that computes, or loads at its line's speed, is healthy.
    Without the cause its time is shorter by the share that `saves` names, at least and at most: a number, or the figure
    of a sample that is the share in percent.
    """

    id: str
    words: str
    advice: str
    saves: tuple[float | str, float | str] = (0.0, 1.0)
    avoidable: bool = False


CAUSES = (
    Cause("computing_all", "computing on all CPUs", "give the machine more CPUs or faster ones", saves=(0.0, 0.5)),
    Cause("computing_some", "computing on some of the CPUs", "run more of it side by side", saves=(0.0, 0.5)),
    Cause(
        "computing_one",
        "computing on one thread",
        "run parts side by side (make -j, xargs -P), or use a tool that has threads (pigz, zstd -T0, pixz)",
        saves=(0.0, "idle_cpus_percent"),
    ),
    Cause(
        "starved_steal",
        "waiting for a CPU that the host gave to others",
        "run fewer machines on the host at once, or use a dedicated one",
        saves=("cpu_steal_percent", 1.0),
        avoidable=True,
    ),
    Cause(
        "starved_throttled",
        "waiting for CPU time that a quota withholds",
        "raise the quota of the container or service (docker --cpus, Kubernetes limits.cpu, systemd CPUQuota=)",
        avoidable=True,
    ),
    Cause(
        "starved_runner",
        "waiting for a CPU of the runner",
        "run fewer builds on this runner at once, or use a larger runner",
        saves=(0.0, "runner_psi_cpu_some_percent"),
        avoidable=True,
    ),
    Cause(
        "starved_beside",
        "waiting for a CPU that others use",
        "see what else runs in the machine at that time, and end it before the step; or give the machine more CPUs",
        saves=(0.0, "psi_cpu_some_percent"),
    ),
    Cause(
        "starved_memory",
        "waiting for memory of the runner",
        "build smaller machines on this runner, or give it more memory",
        saves=(0.0, "runner_psi_memory_some_percent"),
        avoidable=True,
    ),
    Cause(
        "emulated",
        "computing without KVM",
        'make /dev/kvm usable on the runner and set accelerator = "kvm": without it the machine is emulated',
        saves=(0.5, 0.95),
        avoidable=True,
    ),
    Cause(
        "memory",
        "short of memory",
        "give the machine more memory, or do less at once",
        saves=("psi_memory_full_percent", "psi_memory_some_percent"),
        avoidable=True,
    ),
    Cause(
        "disk",
        "waiting for the disk",
        'use a faster disk, write less, or let the host cache it (qemu: disk_cache = "unsafe")',
        saves=("psi_io_full_percent", "psi_io_some_percent"),
        avoidable=True,
    ),
    Cause("network_line", "downloading at the line's best rate", "keep a local mirror or cache of what is downloaded"),
    Cause(
        "network_loss",
        "loading over a line that loses packets",
        "look for the part of the line that loses them (Wi-Fi, VPN, a full line, a wrong MTU); or load from a nearer "
        "server",
        avoidable=True,
    ),
    Cause(
        "network_slow",
        "downloading slowly",
        "use a nearer mirror or a cache: the other side sends slowly",
        avoidable=True,
    ),
    Cause("network_out", "sending", "send less, or compress it before"),
    Cause(
        "network_silent",
        "waiting for an answer that does not come",
        "see which server the command asks: a firewall or a name server drops its packets; set a shorter timeout",
        avoidable=True,
    ),
    Cause(
        "network_remote",
        "waiting for a server that is connected",
        "ask a faster or nearer server, or keep its answer in a cache",
        avoidable=True,
    ),
    Cause(
        "daemon",
        "waiting for a local daemon",
        "look at what the daemon does (docker, D-Bus, systemd): it does the work",
    ),
    Cause("sleep", "sleeping", "wait for what is waited for in place of a fixed time", avoidable=True),
    Cause(
        "lock",
        "waiting for a lock",
        "let who holds it end before the step (apt at boot: `systemctl stop unattended-upgrades`, `cloud-init status "
        "--wait`)",
        avoidable=True,
    ),
    Cause(
        "boot_ssh",
        "booting and waiting for SSH",
        "use an image that boots faster; see whether the guest waits for a network or for cloud-init",
    ),
    Cause(
        "transfer",
        "upload and download by Packer",
        "send one archive in place of many files, or let the machine load it from a near server",
    ),
    Cause(
        "user",
        "waiting for the user",
        "build without -debug, breakpoints and -on-error=ask",
        saves=(1.0, 1.0),
        avoidable=True,
    ),
    Cause(
        "pause",
        "Packer's own pauses",
        "remove or shorten pause_before, pause_after and pause_before_connecting",
        saves=(1.0, 1.0),
        avoidable=True,
    ),
    Cause(
        "packer",
        "Packer's own steps",
        "see the rows of the time line: creating and exporting the machine's image, uploading and starting each script",
    ),
    Cause(
        UNKNOWN,
        "unknown",
        "look at the commands and the output of its provisioners: no figure of the machine tells what they waited for",
        saves=(0.0, 0.0),
    ),
)
CAUSE = {cause.id: cause for cause in CAUSES}


@dataclass(frozen=True, slots=True)
class Limit:
    """A figure of a sample is at least `least`, and below `below`, in the figure's unit."""

    figure: str
    least: float = float("-inf")
    below: float = float("inf")

    def holds(self, figures: dict[str, float]) -> bool:
        """Whether the sample has the figure, within the limit."""
        value = figures.get(self.figure)
        return value is not None and self.least <= value < self.below


@dataclass(frozen=True, slots=True)
class Rule:
    """A sample that is within all limits has the cause; the figures of the limits are its evidence."""

    cause: str
    limits: tuple[Limit, ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """What a sample tells: its unit, the word for it in a sentence, and what it is.

    One that is a `flag` is 1, or absent.
    """

    unit: str
    word: str
    about: str
    flag: bool = False


# What a rule can ask for. Those that begin with `runner_` are the runner's at the
# same time, where the sample is a guest's.
FIGURES = {
    "cpu_percent": Figure("%", "CPU", "CPU in use, of all CPUs"),
    "busy_cpus": Figure("CPUs", "busy", "CPU in use, 1 is one CPU"),
    "others_cpus": Figure("CPUs", "others beside", "CPU of other programs; CPU in use is the step's own then"),
    "one_command": Figure("", "by one command", "1 where one command used most of the step's own CPU", flag=True),
    "idle_cpus_percent": Figure("%", "idle", "CPUs that do not compute, of all CPUs"),
    "cpu_steal_percent": Figure("%", "steal", "CPU time that the host gave to others"),
    "iowait_cpus": Figure("CPUs", "iowait", "CPUs that waited for disks"),
    "psi_cpu_some_percent": Figure("%", "CPU pressure", "time in which something waited for a CPU"),
    "psi_memory_some_percent": Figure("%", "memory pressure", "time in which something waited for memory"),
    "psi_memory_full_percent": Figure("%", "memory pressure (full)", "time in which everything waited for memory"),
    "psi_io_some_percent": Figure("%", "io pressure", "time in which something waited for disks"),
    "psi_io_full_percent": Figure("%", "io pressure (full)", "time in which everything waited for disks"),
    "disk_read_mbs": Figure("MB/s", "read", "read from disks"),
    "disk_write_mbs": Figure("MB/s", "written", "written to disks"),
    "net_rx_mbs": Figure("MB/s", "received", "received from the network"),
    "net_tx_mbs": Figure("MB/s", "sent", "sent to the network"),
    "sent_percent": Figure("%", "sent of all its bytes", "bytes sent, of all bytes sent and received"),
    "rx_of_best_percent": Figure("%", "of its best rate", "received, of the machine's best rate in the build"),
    "tasks_running": Figure("", "tasks running", "tasks that ran or waited for a CPU when the sample was taken"),
    "oom_kills_per_s": Figure("a second", "killed for want of memory", "processes that the kernel ended for it"),
    "no_psi": Figure("", "no pressure figures", "1 where the kernel does not tell pressure", flag=True),
    "direct_scan_mbs": Figure("MB/s", "scanned for memory", "memory that tasks had to search before they got some"),
    "refault_file_mbs": Figure("MB/s", "read again", "read from disks soon after memory had no more room for it"),
    "read_again_percent": Figure("%", "of all it reads", "the same, of all that was read from disks"),
    "refault_anon_mbs": Figure("MB/s", "swapped in again", "memory swapped in soon after it was swapped out"),
    "disk_flushes_per_s": Figure("a second", "flushes", "times that disks were told to keep what they have (fsync)"),
    "tcp_retransmitted_percent": Figure("%", "sent again", "segments of TCP sent again, of all sent"),
    "tcp_out_of_order_percent": Figure("%", "received with a gap before", "segments of TCP that came after a lost one"),
    "tcp_timeouts_per_s": Figure("a second", "timeouts of TCP", "times that no confirmation came in time"),
    "cgroup_throttled_percent": Figure("%", "periods throttled", "periods in which a quota of CPU time was used up"),
    "runner_cgroup_throttled_percent": Figure("%", "runner's periods throttled", "the same of the runner's quota"),
    "runner_beside_builds": Figure("", "other builds on the runner", "other trees of Packer's, and other machines"),
    "runner_psi_cpu_some_percent": Figure("%", "runner's CPU pressure", "time in which work there waited for a CPU"),
    "runner_psi_memory_some_percent": Figure("%", "runner's memory pressure", "time in which work there waited for it"),
    **{
        f"wait_{kind}_percent": Figure(
            "%", f"commands wait ({kind})", f"time in which the step's commands waited: {kind}"
        )
        for kind in ("lock", "user", "silent", "daemon", "sleep", "remote", "other")
    },
    "before_script_s": Figure("s", "before the script", "of a provisioner, until its script began"),
    "behind_script_s": Figure("s", "behind it", "of a provisioner, from the end of its script on"),
    "emulated": Figure("", "no KVM", "1 where the machine runs without KVM", flag=True),
}
_WAITS = Limit("wait_remote_percent", 50)
_BESIDE = Limit("runner_beside_builds", 1)
_OTHERS = Limit("others_cpus", 0.3)
_READ_AGAIN = (Limit("read_again_percent", 50), Limit("refault_file_mbs", 10))
# What the step's own commands waited for comes first: the figures behind it are the whole machine's.
RULES = (
    Rule("memory", (Limit("oom_kills_per_s", 0.2),)),
    Rule("lock", (Limit("wait_lock_percent", 50),)),
    Rule("user", (Limit("wait_user_percent", 50),)),
    Rule("network_silent", (Limit("wait_silent_percent", 50),)),
    Rule("daemon", (Limit("wait_daemon_percent", 50),)),
    Rule("sleep", (Limit("wait_sleep_percent", 50),)),
    Rule("network_loss", (Limit("tcp_out_of_order_percent", 2), Limit("net_rx_mbs", 0.02), _WAITS)),
    Rule("network_loss", (Limit("tcp_retransmitted_percent", 1), Limit("net_tx_mbs", 0.02), _WAITS)),
    Rule("network_loss", (Limit("tcp_timeouts_per_s", 0.5), _WAITS)),
    Rule("network_line", (Limit("rx_of_best_percent", 70), Limit("net_rx_mbs", 1), _WAITS)),
    Rule("network_out", (Limit("net_tx_mbs", 0.02), Limit("sent_percent", 60), _WAITS)),
    Rule("network_slow", (Limit("net_rx_mbs", 0.02), _WAITS)),
    Rule("network_remote", (_WAITS,)),
    Rule(UNKNOWN, (Limit("wait_other_percent", 50),)),
    Rule("starved_steal", (Limit("cpu_steal_percent", 10),)),
    Rule("starved_throttled", (Limit("cgroup_throttled_percent", 25),)),
    Rule("starved_throttled", (Limit("runner_cgroup_throttled_percent", 25), Limit("busy_cpus", 0.5))),
    Rule("emulated", (Limit("emulated", 1), Limit("busy_cpus", 0.5))),
    Rule("starved_runner", (Limit("runner_psi_cpu_some_percent", 40), Limit("busy_cpus", 0.5), _BESIDE)),
    Rule("starved_runner", (Limit("runner_psi_cpu_some_percent", 40), Limit("busy_cpus", 0.5))),
    Rule("starved_memory", (Limit("runner_psi_memory_some_percent", 10),)),
    Rule("memory", (Limit("psi_memory_some_percent", 10),)),
    Rule("memory", (*_READ_AGAIN, Limit("psi_memory_some_percent", 3))),
    Rule("memory", (*_READ_AGAIN, Limit("no_psi", 1))),
    Rule("memory", (Limit("no_psi", 1), Limit("refault_anon_mbs", 1))),
    Rule("memory", (Limit("no_psi", 1), Limit("direct_scan_mbs", 10))),
    Rule("disk", (Limit("psi_io_full_percent", 25),)),
    Rule("disk", (Limit("psi_io_some_percent", 40), Limit("busy_cpus", below=0.6))),
    Rule("disk", (Limit("disk_flushes_per_s", 300), Limit("psi_io_some_percent", 10))),
    Rule("disk", (Limit("iowait_cpus", 0.5), Limit("busy_cpus", below=0.6))),
    Rule("computing_all", (Limit("cpu_percent", 80), _OTHERS)),
    Rule("computing_all", (Limit("cpu_percent", 80),)),
    Rule("computing_all", (Limit("psi_cpu_some_percent", 25), Limit("cpu_percent", 60))),
    Rule("computing_one", (Limit("busy_cpus", 0.9, 1.1), _OTHERS, Limit("one_command", 1))),
    Rule("starved_beside", (Limit("psi_cpu_some_percent", 40), Limit("others_cpus", 0.5), Limit("busy_cpus", 0.1))),
    Rule("computing_one", (Limit("busy_cpus", 0.6, 1.4), _OTHERS)),
    Rule("computing_one", (Limit("busy_cpus", 0.6, 1.4), Limit("tasks_running", 1, 3))),
    Rule("computing_one", (Limit("busy_cpus", 0.6, 1.4),)),
    Rule("computing_some", (Limit("busy_cpus", 1.4), _OTHERS)),
    Rule("computing_some", (Limit("busy_cpus", 1.4),)),
    Rule("network_loss", (Limit("tcp_out_of_order_percent", 2), Limit("net_rx_mbs", 0.02))),
    Rule("network_loss", (Limit("tcp_retransmitted_percent", 1), Limit("net_tx_mbs", 0.02))),
    Rule("network_line", (Limit("rx_of_best_percent", 70), Limit("net_rx_mbs", 1))),
    Rule("network_out", (Limit("net_tx_mbs", 0.02), Limit("sent_percent", 60))),
    Rule("network_slow", (Limit("net_rx_mbs", 0.005),)),
)
_BY_FIGURE = tuple((rule.limits[0].figure, rule) for rule in RULES)
# A phase of Packer's (docs/packer-log.md) that has one cause; all others are Packer's own steps.
OF_PHASE = {
    "boot": "boot_ssh", "wait_ssh": "boot_ssh", "retrieve_image": "transfer", "wait_user": "user", "pause": "pause",
}  # fmt: skip
# Phases in which the runner itself may work: its samples tell more than the phase's name. What it sends or receives
# then is Packer's.
WORKING = frozenset({"create_disk", "create_image", "convert", "export", "post_processor"})
OF_WORK = {"network_line": "transfer", "network_out": "transfer", "network_slow": "packer"}
# What helps in one phase of Packer's in place of the cause's own advice. Sources: the options of Packer's QEMU builder;
# qemu-img(1) compresses by zlib on few threads, by zstd since QEMU 5.1.
ADVICE_IN_PHASE = {
    ("computing_one", "convert"): (
        "leave out disk_compression, and compress the image afterwards by a tool that has threads (zstd -T0, pigz); or "
        'set qemu_img_args { convert = ["-o", "compression_type=zstd"] }'
    ),
    ("disk", "convert"): "write the image to another disk than the one that it is read from, or build it as raw",
}
# Kinds of provisioners, or types of others, that have one cause.
OF_KIND = {"file-upload": "transfer", "file-download": "transfer", "windows-restart": "boot_ssh", "breakpoint": "user"}


def advice_on(cause: str, phase: str) -> str:
    """What would help against a cause in a part of a build.

    Args:
        cause: its name.
        phase: the name of the part (docs/packer-log.md).
    """
    return ADVICE_IN_PHASE.get((cause, phase), CAUSE[cause].advice)


def cause_of(figures: dict[str, float]) -> tuple[str, Rule | None]:
    """The cause that a sample tells, and by which rule; `unknown` where no rule holds."""
    for figure, rule in _BY_FIGURE:
        if figure not in figures:  # of most rules: a document may have tens of thousands of samples
            continue
        for limit in rule.limits:
            if not limit.holds(figures):
                break
        else:
            return rule.cause, rule
    return UNKNOWN, None
