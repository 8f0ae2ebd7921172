"""What Linux knows of processes, and what this machine is."""

import os
import platform
import subprocess
import time
from pathlib import Path

from database import ROOT, processor


def cpu_ns(pid):
    """The processor time that a process has had so far, by all of its threads, ended ones too."""
    # As clock_getcpuclockid(3) makes it. /proc tells whole ticks of 10 ms, or only the threads that live.
    return time.clock_gettime_ns((~pid << 3) | 2)


def peak_kib(pid):
    """The most memory that a process has had so far."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    # Of a process that has ended there is nothing to tell.
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)


def children(pid):
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def program(pid):
    """The name by which a process was started."""
    words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    return Path(os.fsdecode(words[0])).name


def version(*command):
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def describe():
    return {
        "cores": os.cpu_count(),
        "processor": processor(),
        "memory_mb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 1_000_000,
        "system": platform.platform(),
        "python": platform.python_version(),
        "rustc": version("rustc", "--version"),
        "commit": version("git", "describe", "--always", "--dirty"),
        "load_before": os.getloadavg()[0],
    }
