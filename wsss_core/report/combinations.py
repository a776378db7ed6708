"""What each part of a combination of methods adds: its networks in order, each beside the one before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wsss_core.report.results import Evaluation
from wsss_core.report.seeds import Spread, without_seed
from wsss_core.report.tables import Cell, Table

Combinations = Mapping[str, Sequence[Mapping[str, str]]]
Seeds = dict[int, float]  # mIoU by seed, in [0, 1]


def combination_tables(combinations: Combinations, evaluations: Sequence[Evaluation], split: str) -> list[Table]:
    """A table per combination, a row per network: mIoU over the seeds, what it gains, and both after a dense CRF.

    Args:
        combinations: the wiring rows: of every network its `run` and the `part` that made it from the one before.
        evaluations: of all seeds; a combination without a score on `split` gets no table.
        split: its name.
    """
    scores: dict[str, Seeds] = {}
    for evaluation in evaluations:
        if evaluation.kind == "runs" and split in evaluation.splits:
            run, seed = without_seed(evaluation.name)
            scores.setdefault(run, {})[seed] = evaluation.splits[split]["miou"]
    tables = []
    for name, networks in combinations.items():
        endings = [ending for ending in ("", "+crf") if any(f"{n['run']}{ending}" in scores for n in networks)]
        rows = {n["run"]: [Cell(n["part"])] for n in networks}
        for ending in endings:
            before: Seeds = {}
            for network, cells in zip(networks, rows.values(), strict=True):
                found = scores.get(f"{network['run']}{ending}", {})
                cells += [_score(found), Cell(_gain(before, found))]
                before = found
        if endings:
            heads = [column for end in endings for column in (f"{split} mIoU{end}, percent", f"gain{end}, points")]
            tables.append(Table(f"Combination {name}", "network", ["how it learns", *heads], rows))
    return tables


def _score(found: Seeds) -> Cell:
    over = Spread(tuple(found.values()))
    return Cell(over.text, over.mean) if found else Cell("–")


def _gain(before: Seeds, now: Seeds) -> str:
    """The difference seed by seed, over the seeds that both have; empty where they share none."""
    differences = tuple(now[seed] - before[seed] for seed in now if seed in before)
    return Spread(differences).signed if differences else ""
