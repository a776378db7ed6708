"""Iterative affinity learning step by step: what each network makes of the training images, and of val."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wsss_core.report.chart import PAPER, Chart, line_chart
from wsss_core.report.reference import AFFINITY_MIOU, AFFINITY_PRECISION
from wsss_core.report.results import Evaluation
from wsss_core.report.tables import Cell, Table, percent

Chains = Mapping[str, Sequence[Mapping[str, str]]]
Points = dict[str, list[tuple[float, float]]]

PARTS = ("unary", "confident", "pairwise")
MEASURES = ("miou", "precision")
ENERGIES = ("energy", "energy_mined")


def step_tables(chains: Chains, evaluations: list[Evaluation]) -> list[Table]:
    """A table per chain with a row per step; a part that the chain leaves out is a dash, an unscored chain no table.

    Args:
        chains: the wiring rows: for every step the names of the evaluations of `unary`, `confident`, `pairwise` (label
            stores) and `val` (a run).
    """
    columns = [f"{part}{' precision' * (m == 'precision')}" for part in PARTS for m in MEASURES]
    columns += ["val mIoU", "energy", "after mining"]
    tables = []
    for chain, steps in chains.items():
        values = [
            [*_train(step, evaluations), _val(step, evaluations), *_energies(step, evaluations)] for step in steps
        ]
        if any(value is not None for row in values for value in row):
            rows = {
                f"step {t}": [Cell(percent(value), value) for value in row] for t, row in enumerate(values, start=1)
            }
            tables.append(Table(chain, columns, rows))
    return tables


def step_charts(chains: Chains, evaluations: list[Evaluation]) -> list[Chart]:
    """mIoU and precision of the training images and mIoU of val over the steps, beside the paper's; and energies."""
    if not chains:
        return []
    main = next(iter(chains))
    charts: list[tuple[str, str, Points, Points]] = []
    for measure, title, paper in (("miou", "mIoU", AFFINITY_MIOU), ("precision", "precision", AFFINITY_PRECISION)):
        own = {part: _over(chains[main], evaluations, part, measure) for part in PARTS}
        charts.append((f"{title} of the training labels over steps", f"{title} in percent", own, _paper(paper, PARTS)))
    val = {chain: _over(steps, evaluations, "val", "miou") for chain, steps in chains.items()}
    charts.append(("mIoU on val over steps", "mIoU in percent", val, _paper(AFFINITY_MIOU, ("val",))))
    energies = {
        f"{chain}{' after mining' * (name == 'energy_mined')}": _over(steps, evaluations, "pairwise", name)
        for chain, steps in chains.items()
        for name in ENERGIES
    }
    charts.append(("Energy over steps", "energy × 100", energies, {}))
    shown = [(title, y, {name: line for name, line in own.items() if line}, paper) for title, y, own, paper in charts]
    return [line_chart(title, "step", y, own | paper, marked=True) for title, y, own, paper in shown if own]


def _over(
    steps: Sequence[Mapping[str, str]], evaluations: list[Evaluation], part: str, measure: str
) -> list[tuple[float, float]]:
    split = "val" if part == "val" else None
    found = ((t, _score(evaluations, step.get(part), measure, split)) for t, step in enumerate(steps, start=1))
    return [(float(t), 100 * value) for t, value in found if value is not None]


def _paper(figures: Mapping[str, Sequence[float]], parts: Sequence[str]) -> Points:
    return {f"{PAPER}{part}": [(float(t), v) for t, v in enumerate(figures[part], start=1)] for part in parts}


def _train(step: Mapping[str, str], evaluations: list[Evaluation]) -> list[float | None]:
    return [_score(evaluations, step.get(part), measure, None) for part in PARTS for measure in MEASURES]


def _val(step: Mapping[str, str], evaluations: list[Evaluation]) -> float | None:
    return _score(evaluations, step.get("val"), "miou", "val")


def _energies(step: Mapping[str, str], evaluations: list[Evaluation]) -> list[float | None]:
    return [_score(evaluations, step.get("pairwise"), name, None) for name in ENERGIES]


def _score(evaluations: list[Evaluation], name: str | None, measure: str, split: str | None) -> float | None:
    """A figure of a split, by default the first that was scored; None where there is none."""
    splits: Mapping[str, Mapping[str, Any]] = next((e.splits for e in evaluations if e.name == name), {})
    scores = splits.get(split, {}) if split else next(iter(splits.values()), {})
    value = scores.get(measure)
    return None if value is None else float(value)
