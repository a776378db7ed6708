"""How much masks, boxes and tags give: the runs of EM with biases by their number of images with masks."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean
from typing import Any

from wsss_core.report.results import Evaluation
from wsss_core.report.seeds import without_seed
from wsss_core.report.tables import Cell, Table, percent

Curves = dict[str, dict[int, float]]  # mIoU by number of images with masks, by what the other images give

# What a single point of is shown, too; ablations are shown where they have several.
SHOWN = ("strong", "em_fixed", "em_adapt", "box_rect", "box_em_fixed", "box_seg")


def by_masks(
    em_runs: Mapping[str, Mapping[str, Any]], evaluations: list[Evaluation], split: str, *, masks: int
) -> Curves:
    """mIoU on a split of the runs that differ in nothing but the number of images with masks, means over seeds.

    None where all have the same number: the ranking has them.

    Args:
        em_runs: the wiring rows; those with a second data set are left out.
        evaluations: what a dense CRF makes of a run counts as another run, `<name>+crf`.
        masks: number of images to train on that have a mask, which is what `all` means.
    """
    scores = {e.name: e.splits[split]["miou"] for e in evaluations if e.kind == "runs" and split in e.splits}
    found: dict[str, dict[int, list[float]]] = {}
    for name, row in em_runs.items():
        if row["dataset"] != "dataset" or row["second"].startswith("data/"):
            continue
        family = without_seed(name)[0].removesuffix(f"_{row['strong']}")
        number = masks if row["strong"] == "all" else int(row["strong"])
        for ending in ("", "+crf"):
            if scores.get(f"{name}{ending}") is not None:
                found.setdefault(f"{family}{ending}", {}).setdefault(number, []).append(scores[f"{name}{ending}"])
    curves = {
        family: {number: fmean(values) for number, values in sorted(points.items())}
        for family, points in found.items()
        if len(points) > 1 or family.removesuffix("+crf") in SHOWN
    }
    return curves if len({number for points in curves.values() for number in points}) > 1 else {}


def masks_table(curves: Curves, split: str) -> list[Table]:
    """The curves as a table, a column per number of images with masks; none without curves."""
    if not curves:
        return []
    numbers = sorted({number for points in curves.values() for number in points})
    best = {n: max(points[n] for points in curves.values() if n in points) for n in numbers}
    rows = {
        family: [
            Cell(percent(points[n]), points[n], points[n] == best[n]) if n in points else Cell(percent(None))
            for n in numbers
        ]
        for family, points in curves.items()
    }
    return [Table(f"mIoU on {split} by number of images with masks, percent", "runs", list(map(str, numbers)), rows)]
