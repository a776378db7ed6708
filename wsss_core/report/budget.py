"""What every method's main run was trained with: are they comparable?"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from wsss_core.data.budget import Budget

# The run that stands for a method; of several the last, which is its last iteration.
MAIN = {
    "mining pixels": r"mining_\d+",
    "CRF neighbourhood": r"crf_exp",
    "EM with biases": r"em_adapt",
    "DCSP": r"dcsp_\d+",
    "affinity": r"affinity_\d+_spn",
}


@dataclass(frozen=True)
class Spent:
    """A training: its run, the backbone, the long side of a photo in pixels, the photos there were, images seen."""

    run: str
    backbone: str
    size: int
    photos: int
    images: int


def main_runs(runs: Sequence[str], combination: Sequence[str] = ()) -> dict[str, str]:
    """The run that stands for each method, of its first seed; methods without a run are left out.

    Args:
        runs: those there are.
        combination: the networks of the combination that stands for all, in order.
    """
    found = {method: [run for run in runs if re.fullmatch(pattern, run)] for method, pattern in MAIN.items()}
    main = {method: max(matching, key=_progress) for method, matching in found.items() if matching}
    combined = [run for run in combination if run in runs]
    return main | ({"combination": combined[-1]} if combined else {})


def spent_by_method(
    runs: Sequence[str], segmenters: Path, budget: Budget, combination: Sequence[str] = ()
) -> dict[str, Spent]:
    """The main run of every method that is trained, from what its folder below `segmenters` says."""
    trained = [run for run in runs if (segmenters / run / "model.json").is_file()]
    main = main_runs(trained, combination)
    return {method: _spent(run, segmenters / run, budget) for method, run in main.items()}


def unequal(spent: Sequence[Spent]) -> list[str]:
    """What the runs do not have in common: `backbone`, `size`, `photos`, `images`."""
    return [key for key in ("backbone", "size", "photos", "images") if len({getattr(row, key) for row in spent}) > 1]


def _progress(run: str) -> tuple[list[int], str]:
    """How far along its method a run is: affinity_1 < affinity_1_spn < affinity_2 < affinity_10."""
    return [int(number) for number in re.findall(r"\d+", run)], run


def _spent(run: str, folder: Path, budget: Budget) -> Spent:
    description = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    photos = int(json.loads((folder / "training.json").read_text(encoding="utf-8"))["photos"])
    log = folder / "loss.csv"
    images = int(pd.read_csv(log)["images"].max()) if log.is_file() else 0
    return Spent(run, str(description["backbone"]), budget.size, photos, images)
