"""All runs from best to worst, and the main ones class by class, each over its seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wsss_core.report.chart import COLOURS
from wsss_core.report.results import Evaluation
from wsss_core.report.seeds import Spread, without_seed


@dataclass(frozen=True)
class Ranked:
    """A run on one split; a class is None where no seed has a figure for it."""

    name: str
    miou: Spread
    pixel_accuracy: Spread
    per_class: Mapping[str, Spread | None]


@dataclass(frozen=True)
class Bar:
    """A run's IoU of one class; `iou` is None where the class occurs in neither truth nor prediction."""

    run: str
    colour: str
    iou: Spread | None


def ranking(evaluations: Sequence[Evaluation]) -> dict[str, list[Ranked]]:
    """The runs of every split by mean mIoU, the highest first."""
    scores: dict[str, dict[str, list[Mapping[str, Any]]]] = {}
    for evaluation in evaluations:
        if evaluation.kind == "runs":
            name, _ = without_seed(evaluation.name)
            for split, found in evaluation.splits.items():
                scores.setdefault(split, {}).setdefault(name, []).append(found)
    return {
        split: sorted((_ranked(name, seeds) for name, seeds in runs.items()), key=lambda run: -run.miou.mean)
        for split, runs in scores.items()
    }


def class_bars(ranked: Sequence[Ranked], main: Sequence[str]) -> dict[str, list[Bar]]:
    """For every class a bar of each run in `main` that is ranked, or of the best run where none is."""
    shown = [run for name in main for run in ranked if run.name == name] or ranked[:1]
    return {
        class_name: [
            Bar(run.name, COLOURS[i % len(COLOURS)], run.per_class.get(class_name)) for i, run in enumerate(shown)
        ]
        for class_name in ranked[0].per_class
    }


def _ranked(name: str, seeds: Sequence[Mapping[str, Any]]) -> Ranked:
    miou, accuracy = (Spread(tuple(found[key] for found in seeds)) for key in ("miou", "pixel_accuracy"))
    per_class = {}
    for name_of_class in seeds[0]["per_class"]:
        known = tuple(iou for found in seeds if (iou := found["per_class"].get(name_of_class)) is not None)
        per_class[name_of_class] = Spread(known) if known else None
    return Ranked(name, miou, accuracy, per_class)
