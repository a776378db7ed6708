"""The command `wsss costs`."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table

REPORTS = Path("reports")


def costs() -> None:
    """Print what every stage of this run cost, and write reports/costs.html and reports/costs.json."""
    from wsss_core.report.costs import read_costs, write_costs  # not for every `wsss`: it loads pandas

    found = read_costs()
    table = Table("output", "stage", "seconds", "peak MiB", "bytes")
    for cost in found:
        table.add_row(cost.out, cost.stage, cost.time, str(cost.peak_mib), f"{cost.bytes:,}")
    Console().print(table)
    write_costs(found, REPORTS)
    print(f"wrote {REPORTS / 'costs.html'} and {REPORTS / 'costs.json'}")
