"""What each part of a combination of methods adds: its networks in order, each beside the one before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from wsss_core.report.ranking import Ranked
from wsss_core.report.seeds import Spread
from wsss_core.report.tables import Cell, Table

Combinations = Mapping[str, Sequence[Mapping[str, str]]]


def combination_tables(combinations: Combinations, ranked: Sequence[Ranked], split: str) -> list[Table]:
    """A table per combination, a row per network: mIoU over the seeds, what it gains, and both after a dense CRF.

    Args:
        combinations: the wiring rows: of every network its `run` and the `part` that made it from the one before.
        ranked: all runs over their seeds, on `split`; a combination without a score gets no table.
        split: its name.
    """
    scores = {run.name: run.miou for run in ranked}
    tables = []
    for name, networks in combinations.items():
        endings = [ending for ending in ("", "+crf") if any(f"{n['run']}{ending}" in scores for n in networks)]
        rows = {n["run"]: [Cell(n["part"])] for n in networks}
        for ending in endings:
            before = None
            for network, cells in zip(networks, rows.values(), strict=True):
                found = scores.get(f"{network['run']}{ending}")
                cells += [Cell(found.text if found else "–", found.mean if found else None), Cell(_gain(before, found))]
                before = found
        if endings:
            columns = [column for ending in endings for column in (f"{split} mIoU{ending}", "gain")]
            tables.append(Table(name, ["how it learns", *columns], rows))
    return tables


def _gain(before: Spread | None, now: Spread | None) -> str:
    """In points: the mean over seeds of the difference."""
    if before is None or now is None or len(before.values) != len(now.values):
        return ""
    return f"{100 * fmean(b - a for a, b in zip(before.values, now.values, strict=True)):+.1f}"
