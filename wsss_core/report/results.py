"""The evaluations of a project: read from their files, summed up for DVC."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wsss_core.stage import InputError

MEASURES = {
    "runs": ("miou", "per_class", "pixel_accuracy", "images"),
    "labels": ("miou", "precision", "recall", "coverage"),
}


@dataclass(frozen=True)
class Evaluation:
    """One file of the stage evaluate; `splits` is empty where no image has a mask or the stage has not run yet."""

    name: str
    kind: str
    splits: dict[str, dict[str, Any]]


def read_evaluations(rows: Mapping[str, Mapping[str, str]], folder: Path) -> list[Evaluation]:
    """Read `<folder>/<kind>/<name>.json` for every row, in the order of the rows; stray files are not looked at.

    What a dense CRF makes of a run's predictions is an evaluation of its own, `<name>+crf`.

    Raises:
        InputError: a file is damaged.
    """
    found = []
    for name, row in rows.items():
        splits, with_crf = _splits(folder / row["kind"] / f"{name}.json")
        found.append(Evaluation(name, row["kind"], splits))
        if with_crf:
            found.append(Evaluation(f"{name}+crf", row["kind"], with_crf))
    return found


def _splits(path: Path) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
    if not path.is_file():
        return {}, {}
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
        return dict(result["splits"]), dict(result.get("crf", {}))
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: damaged ({error}); remove it and run `dvc repro`") from None


def metrics(evaluations: list[Evaluation]) -> dict[str, dict[str, Any]]:
    """Every figure by kind, name and split: `{"runs": {name: {split: …}}, "labels": …}`."""
    found: dict[str, dict[str, Any]] = {kind: {} for kind in MEASURES}
    for evaluation in evaluations:
        if evaluation.kind in MEASURES and evaluation.splits:
            found[evaluation.kind][evaluation.name] = {
                split: {measure: scores[measure] for measure in MEASURES[evaluation.kind]}
                for split, scores in evaluation.splits.items()
            }
    return found


def summary(evaluations: list[Evaluation]) -> dict[str, dict[str, float]]:
    """The one figure per run and split that `dvc metrics show` lists: `{name: {"val_miou": …}}`."""
    return {
        evaluation.name: {f"{split}_miou": scores["miou"] for split, scores in evaluation.splits.items()}
        for evaluation in evaluations
        if evaluation.kind == "runs" and evaluation.splits
    }


def read_figures(folders: Mapping[str, Path]) -> dict[str, dict[str, str]]:
    """The numbers in each folder's `metrics.json` as texts, nested names joined by dots; folders without it left out.

    Raises:
        InputError: a file is damaged.
    """
    found = {}
    for heading, folder in folders.items():
        path = folder / "metrics.json"
        if path.is_file():
            try:
                found[heading] = dict(_flat(json.loads(path.read_text(encoding="utf-8"))))
            except (ValueError, AttributeError) as error:
                raise InputError(f"{path}: damaged ({error}); remove {folder} and run its stage") from None
    return found


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", f"{value:.4g}" if isinstance(value, float) else str(value)
