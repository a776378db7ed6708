"""Iterative affinity learning step by step: what each network makes of the training images, and of val."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wsss_core.report.chart import PAPER, Chart, line_chart
from wsss_core.report.reference import AFFINITY_MIOU, AFFINITY_PRECISION
from wsss_core.report.results import Evaluation
from wsss_core.report.seeds import Spread, without_seed
from wsss_core.report.tables import Cell, Table

Step = Mapping[str, str]
Chains = Mapping[str, Sequence[Step]]
Points = dict[str, list[tuple[float, float]]]

PARTS = ("unary", "confident", "pairwise")
MEASURES = ("miou", "precision")
ENERGIES = ("energy", "energy_mined")
FIGURES = (*((part, measure) for part in PARTS for measure in MEASURES), ("val", "miou"))
FIGURES += tuple(("pairwise", name) for name in ENERGIES)


def step_tables(chains: Chains, evaluations: list[Evaluation]) -> list[Table]:
    """A table per chain with a row per step, over the seeds; what is unscored is a dash, an unscored chain no table.

    Args:
        chains: the wiring rows: for every step the names of the evaluations of `unary`, `confident`, `pairwise` (label
            stores) and `val` (a run); a chain of another seed has its name with `_s1`, `_s2`, …
    """
    columns = [f"{part} {'mIoU' if m == 'miou' else m}" for part in PARTS for m in MEASURES]
    columns += ["val mIoU", "energy × 100", "after mining × 100"]
    tables = []
    for chain, steps in _over_seeds(chains).items():
        values = [[_spread(each, evaluations, part, measure) for part, measure in FIGURES] for each in steps]
        if any(value is not None for row in values for value in row):
            rows = {
                str(t): [Cell(value.text, value.mean) if value else Cell("–") for value in row]
                for t, row in enumerate(values, start=1)
            }
            tables.append(Table(f"Steps of {chain}, percent", "step", columns, rows))
    return tables


def step_charts(chains: Chains, evaluations: list[Evaluation]) -> list[Chart]:
    """Labels of the training images and mIoU of val over the steps, beside the paper's; energies; means over seeds."""
    if not chains:
        return []
    over_seeds = _over_seeds(chains)
    main = next(iter(over_seeds.values()))
    charts: list[tuple[str, str, Points, Points]] = []
    for measure, title, paper in (("miou", "mIoU", AFFINITY_MIOU), ("precision", "precision", AFFINITY_PRECISION)):
        own = {part: _over(main, evaluations, part, measure) for part in PARTS}
        charts.append((f"{title} of the training labels over steps", f"{title} in percent", own, _paper(paper, PARTS)))
    val = {chain: _over(steps, evaluations, "val", "miou") for chain, steps in over_seeds.items()}
    charts.append(("mIoU on val over steps", "mIoU in percent", val, _paper(AFFINITY_MIOU, ("val",))))
    energies = {
        f"{chain}{' after mining' * (name == 'energy_mined')}": _over(steps, evaluations, "pairwise", name)
        for chain, steps in over_seeds.items()
        for name in ENERGIES
    }
    charts.append(("Energy over steps", "energy × 100", energies, {}))
    shown = [(title, y, {name: line for name, line in own.items() if line}, paper) for title, y, own, paper in charts]
    return [line_chart(title, "step", y, own | paper, marked=True) for title, y, own, paper in shown if own]


def _over_seeds(chains: Chains) -> dict[str, list[list[Step]]]:
    """By chain, for every step what it is called with each seed."""
    found: dict[str, list[Sequence[Step]]] = {}
    for chain, steps in chains.items():
        found.setdefault(without_seed(chain)[0], []).append(steps)
    return {chain: [list(each) for each in zip(*seeds, strict=True)] for chain, seeds in found.items()}


def _over(
    steps: Sequence[Sequence[Step]], evaluations: list[Evaluation], part: str, measure: str
) -> list[tuple[float, float]]:
    found = ((t, _spread(each, evaluations, part, measure)) for t, each in enumerate(steps, start=1))
    return [(float(t), 100 * value.mean) for t, value in found if value is not None]


def _paper(figures: Mapping[str, Sequence[float]], parts: Sequence[str]) -> Points:
    return {f"{PAPER}{part}": [(float(t), v) for t, v in enumerate(figures[part], start=1)] for part in parts}


def _spread(each: Sequence[Step], evaluations: list[Evaluation], part: str, measure: str) -> Spread | None:
    """A figure of a step over its seeds; None where no seed has it."""
    split = "val" if part == "val" else None
    found = [_score(evaluations, step.get(part), measure, split) for step in each]
    values = tuple(value for value in found if value is not None)
    return Spread(values) if values else None


def _score(evaluations: list[Evaluation], name: str | None, measure: str, split: str | None) -> float | None:
    """A figure of a split, by default the first that was scored; None where there is none."""
    splits: Mapping[str, Mapping[str, Any]] = next((e.splits for e in evaluations if e.name == name), {})
    scores = splits.get(split, {}) if split else next(iter(splits.values()), {})
    value = scores.get(measure)
    return None if value is None else float(value)
