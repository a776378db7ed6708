"""What every method's main run was trained with: are they comparable?"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from wsss_core.data.budget import Budget


@dataclass(frozen=True)
class Spent:
    """A training: its run, the backbone, the long side of a photo in pixels, the photos there were, images seen."""

    run: str
    backbone: str
    size: int
    photos: int
    images: int


def main_runs(runs: Collection[str], chains: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The run that stands for each method: the last of its chain that is there; methods without one are left out.

    Args:
        runs: those there are.
        chains: the networks of every method's main run in the order of their training, `main_runs` of the rows.
    """
    found = {method: [run for run in chain if run in runs] for method, chain in chains.items()}
    return {method: chain[-1] for method, chain in found.items() if chain}


def spent_by_method(
    runs: Sequence[str], segmenters: Path, budget: Budget, chains: Mapping[str, Sequence[str]]
) -> dict[str, Spent]:
    """The main run of every method that is trained, from what its folder below `segmenters` says."""
    trained = [run for run in runs if (segmenters / run / "model.json").is_file()]
    return {method: _spent(run, segmenters / run, budget) for method, run in main_runs(trained, chains).items()}


def unequal(spent: Sequence[Spent]) -> list[str]:
    """What the runs do not have in common: `backbone`, `size`, `photos`, `images`."""
    return [key for key in ("backbone", "size", "photos", "images") if len({getattr(row, key) for row in spent}) > 1]


def _spent(run: str, folder: Path, budget: Budget) -> Spent:
    description = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    photos = int(json.loads((folder / "training.json").read_text(encoding="utf-8"))["photos"])
    log = folder / "loss.csv"
    images = int(pd.read_csv(log)["images"].max()) if log.is_file() else 0
    return Spent(run, str(description["backbone"]), budget.size, photos, images)
