"""What every method's main run was trained with: are they comparable?"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from wsss_core.data.budget import Budget

FACTS = ("model.json", "training.json")
SEGMENTERS = "segmenters/"


@dataclass(frozen=True)
class Spent:
    """How a method's main run was trained.

    Attributes:
        run: its last network.
        size: long side of a photo in pixels.
        photos: those there were to train on.
        images: that its segmentation networks saw, all of them together, and those that they started from; propagation,
            trained apart, does not count.
    """

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
    runs: Sequence[str],
    segmenters: Path,
    budget: Budget,
    chains: Mapping[str, Sequence[str]],
    rows: Mapping[str, Mapping[str, Any]],
) -> dict[str, Spent]:
    """The main run of every method that is trained, from what its folder below `segmenters` says.

    Args:
        runs: those there are.
        segmenters: the folder of the networks.
        budget: of every network.
        chains: see `main_runs`.
        rows: the wiring rows of all networks: each names what it starts from, and a propagation its unary network.
    """
    trained = [run for run in runs if (segmenters / run / "model.json").is_file()]
    spent = {}
    for method, run in main_runs(trained, chains).items():
        description, training = (json.loads((segmenters / run / name).read_text(encoding="utf-8")) for name in FACTS)
        before = chains[method][: chains[method].index(run) + 1]
        images = sum(_images(segmenters / network) for network in _with_starts(before, rows))
        spent[method] = Spent(run, str(description["backbone"]), budget.size, int(training["photos"]), images)
    return spent


def unequal(spent: Sequence[Spent]) -> list[str]:
    """What the runs do not have in common: `backbone`, `size`, `photos`, `images`."""
    return [key for key in ("backbone", "size", "photos", "images") if len({getattr(row, key) for row in spent}) > 1]


def _with_starts(networks: Sequence[str], rows: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """The networks, those that they were started from or made of, and so on back."""
    found: set[str] = set()
    todo = list(networks)
    while todo:
        network = todo.pop()
        if network not in found:
            found.add(network)
            before = (str(rows.get(network, {}).get(key, "")) for key in ("start", "unary"))
            todo += [start.removeprefix(SEGMENTERS) for start in before if start.startswith(SEGMENTERS)]
    return found


def _images(folder: Path) -> int:
    """Images that a network saw, 0 for a propagation network and for one that is not there."""
    log, model = folder / "loss.csv", folder / FACTS[0]
    if not log.is_file() or not model.is_file():
        return 0
    kind = json.loads(model.read_text(encoding="utf-8")).get("kind")
    return int(pd.read_csv(log)["images"].max()) if kind != "propagation" else 0
