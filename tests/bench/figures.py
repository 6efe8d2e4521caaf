# SPDX-License-Identifier: Apache-2.0
"""The figures of the table, in its order, and what is wanted of them."""
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    title: str
    unit: str
    digits: int = 0


FIGURES = {
    "bulk_down_mb_s": Figure("bulk down, random data", "MB/s"),
    "bulk_down_text_mb_s": Figure("bulk down, text", "MB/s"),
    "bulk_up_mb_s": Figure("bulk up, random data", "MB/s"),
    "pty_mb_s": Figure("terminal output, text", "MB/s"),
    "sftp_get_mb_s": Figure("sftp get, random data", "MB/s"),
    "sftp_put_mb_s": Figure("sftp put, random data", "MB/s"),
    "bulk_down_cpu_s_gib": Figure("CPU, bulk down", "s/GiB", 2),
    "bulk_down_text_cpu_s_gib": Figure("CPU, bulk down, text", "s/GiB", 2),
    "bulk_up_cpu_s_gib": Figure("CPU, bulk up", "s/GiB", 2),
    "pty_cpu_s_gib": Figure("CPU, terminal output", "s/GiB", 2),
    "sftp_get_cpu_s_gib": Figure("CPU, sftp get", "s/GiB", 2),
    "sftp_put_cpu_s_gib": Figure("CPU, sftp put", "s/GiB", 2),
    "echo_idle_p50_ms": Figure("key echo, idle, p50", "ms", 3),
    "echo_idle_p99_ms": Figure("key echo, idle, p99", "ms", 3),
    "echo_busy_p50_ms": Figure("key echo, busy, p50", "ms", 3),
    "echo_busy_p99_ms": Figure("key echo, busy, p99", "ms", 3),
    "echo_busy_machine": Figure("all cores busy by these sessions", "%"),
    "echo_busy_line_us": Figure("CPU of a line of a busy session", "us"),
    "login_ms": Figure("one login alone", "ms"),
    "logins_s": Figure("logins, several clients", "1/s", 1),
    "login_cpu_ms": Figure("CPU of a login", "ms", 1),
    "memory_10_mb": Figure("memory of one of 10 idle sessions", "MB", 2),
    "memory_50_mb": Figure("memory of one of 50 idle sessions", "MB", 2),
    "memory_100_mb": Figure("memory of one of 100 idle sessions", "MB", 2),
    "memory_500_mb": Figure("memory of one of 500 idle sessions", "MB", 2),
    "recorded_work": Figure("recording of work in a shell", "bytes/byte", 3),
    "recorded_text": Figure("recording of much text", "bytes/byte", 3),
}
OURS, JUMP, NESTED, DIRECT = "us", "ssh -J", "nested", "direct"


@dataclass(frozen=True)
class Target:
    """Ours shall be `sign` factor * (that of the way `than`, or 1 for none) + more."""
    figure: str
    sign: str
    factor: float
    than: str = ""
    more: float = 0
    than_figure: str = ""  # "": the same

    @property
    def wanted(self):
        unit = FIGURES[self.figure].unit
        if not self.than:
            return f"{self.sign} {self.factor:g} {unit}"
        more = f" + {self.more:g} {unit}" if self.more else ""
        factor = "" if more else f"{self.factor:.2g} x "
        which = f", {FIGURES[self.than_figure].title}" if self.than_figure else ""
        return f"{self.sign} {factor}{self.than}{which}{more}"

    def bound(self, value_of):
        """None where it was not measured."""
        if not self.than:
            return self.factor
        other = value_of(self.than_figure or self.figure, self.than)
        return None if other is None else self.factor * other + self.more

    def is_met(self, value, bound):
        return value >= bound if self.sign == ">=" else value <= bound


def faster_than_others(*names):
    return [Target(f"{name}_mb_s", ">=", factor, than)
            for name in names for factor, than in ((1.2, NESTED), (1.0, JUMP))]


TARGETS = [
    *faster_than_others("bulk_down", "bulk_down_text", "bulk_up", "sftp_get", "sftp_put"),
    Target("pty_mb_s", ">=", 1.2, NESTED),
    Target("bulk_down_cpu_s_gib", "<=", 1.0, NESTED),
    Target("bulk_down_text_cpu_s_gib", "<=", 1.0, NESTED),
    Target("bulk_up_cpu_s_gib", "<=", 1.0, NESTED),
    Target("echo_idle_p99_ms", "<=", 1, DIRECT, 1.0),
    Target("echo_busy_p99_ms", "<=", 1, DIRECT, 3.0),
    Target("echo_idle_p50_ms", "<=", 1, NESTED),
    Target("echo_busy_p50_ms", "<=", 1, NESTED),
    Target("logins_s", ">=", 0.7, DIRECT),
    Target("login_cpu_ms", "<=", 1 / 3, NESTED),
    Target("memory_10_mb", "<=", 5),
    Target("memory_100_mb", "<=", 5),
    Target("memory_500_mb", "<=", 5),
    Target("memory_500_mb", "<=", 1.1, OURS, than_figure="memory_10_mb"),
    Target("recorded_work", "<=", 1.1),
    Target("recorded_text", "<=", 0.15),
]
