"""Evaluations as tables for people: percent with one decimal, the best of each column marked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from wsss_core.report.results import Evaluation

IMAGES = "number of images"


@dataclass(frozen=True)
class Cell:
    """A figure: its text, its share of 100 percent (None for counts and gaps) and whether no row has a better one."""

    text: str
    share: float | None = None
    best: bool = False


@dataclass(frozen=True)
class Table:
    """A table under its title, which says the unit unless the columns do: a list of cells by the name of the row.

    `row_head` says what the rows are.
    """

    title: str
    row_head: str
    columns: list[str]
    rows: dict[str, list[Cell]]


def run_tables(evaluations: list[Evaluation]) -> list[Table]:
    """mIoU, pixel accuracy and IoU of each class, one table per split."""
    tables = []
    for split, found in _by_split(evaluations, "runs").items():
        columns = ["mIoU", "pixel accuracy", *next(iter(found.values()))["per_class"]]
        tables.append(_table(f"IoU on {split}, percent", "run", columns, found, _run_values))
    return tables


def label_tables(evaluations: list[Evaluation]) -> list[Table]:
    """mIoU, precision, recall and coverage of label stores, one table per split."""
    columns = ["mIoU", "precision", "recall", "coverage"]
    return [
        _table(f"Labels of {split}, percent", "labels", columns, found, _label_values)
        for split, found in _by_split(evaluations, "labels").items()
    ]


def erasing_tables(evaluations: list[Evaluation]) -> list[Table]:
    """IoU of the saliency with all objects after each erasing, and what part of the images it made better and worse."""
    tables = []
    for split, found in _by_split(evaluations, "erasing").items():
        steps = max(len(scores["iou"]) for scores in found.values())
        columns = ["S1", *(head for k in range(2, steps + 1) for head in (f"S{k}", "better", "worse"))]
        rows = {}
        for name, scores in found.items():
            first, *others = scores["iou"]
            cells = [Cell(percent(first), first)]
            for iou, changed in zip(others, scores["changed"], strict=True):
                cells += [Cell(percent(iou), iou), Cell(percent(changed["better"])), Cell(percent(changed["worse"]))]
            rows[name] = [*cells, Cell(str(scores["images"]))]
        tables.append(Table(f"Saliency on {split}, percent", "maps", [*columns, IMAGES], rows))
    return tables


def percent(value: float | None) -> str:
    """`0.5686` → `56.9`; a dash for None."""
    return "–" if value is None else f"{100 * value:.1f}"


def _by_split(evaluations: list[Evaluation], kind: str) -> dict[str, dict[str, dict[str, Any]]]:
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for evaluation in evaluations:
        if evaluation.kind == kind:
            for split, scores in evaluation.splits.items():
                found.setdefault(split, {})[evaluation.name] = scores
    return found


def _run_values(scores: dict[str, Any]) -> list[float | None]:
    return [scores["miou"], scores["pixel_accuracy"], *scores["per_class"].values()]


def _label_values(scores: dict[str, Any]) -> list[float | None]:
    return [scores[measure] for measure in ("miou", "precision", "recall", "coverage")]


def _table(
    title: str,
    row_head: str,
    columns: list[str],
    found: dict[str, dict[str, Any]],
    values_of: Callable[[dict[str, Any]], list[float | None]],
) -> Table:
    values = {name: values_of(scores) for name, scores in found.items()}
    best = [max((v for v in column if v is not None), default=None) for column in zip(*values.values(), strict=True)]
    rows = {
        name: [
            *(Cell(percent(v), v, v is not None and v == top) for v, top in zip(row, best, strict=True)),
            Cell(str(found[name]["images"])),
        ]
        for name, row in values.items()
    }
    return Table(title, row_head, [*columns, IMAGES], rows)
