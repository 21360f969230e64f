"""What the benchmarks share: contenders that take turns, tables in Markdown, and the machine they ran on."""

import importlib.metadata
import os
import platform
import random
import statistics
import time
from pathlib import Path


def seconds(contenders, rounds, clock=time.process_time, figure=statistics.median):
    """Return {name: figure of the times} of functions that take turns, in an order that is drawn anew each time.

    A turn to warm up comes before. With one order for all, each would meet the caches and the free memory that the same
    other one leaves behind.

    The median in time of the processor leaves out the waiting for others; the minimum of wall times is what several
    cores take on a quiet machine.
    """
    times = {name: [] for name in contenders}
    order = list(contenders)
    shuffler = random.Random(0)
    for k in range(rounds + 1):
        shuffler.shuffle(order)
        for name in order:
            run = contenders[name]
            start = clock()
            run()
            if k:
                times[name].append(clock() - start)
    return {name: figure(ts) for name, ts in times.items()}


def table(header, rows):
    """Print a Markdown table; None is a cell without a figure."""
    print("\n| " + " | ".join(header) + " |")
    print("| " + " | ".join("---" if k == 0 else "---:" for k in range(len(header))) + " |")
    for row in rows:
        print("| " + " | ".join("" if cell is None else str(cell) for cell in row) + " |", flush=True)
    print()


def processor():
    """Return the model of the processor."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def machine(*packages):
    """Print the machine, how busy it is, and the versions of packages."""
    print(
        f"{processor()}, {os.cpu_count()} cores, {platform.system()}; load average {os.getloadavg()[0]:.1f} before the run;"
    )
    versions = (f"{package} {importlib.metadata.version(package)}" for package in packages)
    print(f"Python {platform.python_version()}, " + ", ".join(versions))
