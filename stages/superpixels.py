"""Superpixels of every image."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from numpy.typing import NDArray

from wsss_core.cues.superpixels import OUTSIDE, superpixels
from wsss_core.data.dataset import Dataset
from wsss_core.stage import bind, load_params, section
from wsss_core.stage.command import run
from wsss_core.stores import ArraySpec, fingerprint, padded, write_store


@dataclass(frozen=True, kw_only=True)
class Superpixels:
    """Section `superpixels`."""

    scale: float = 100.0
    sigma: float = 0.8
    min_size: int = 20
    workers: int = 2

    def __post_init__(self) -> None:
        if self.scale <= 0 or self.sigma < 0:
            raise ValueError(f"expected scale > 0 and sigma >= 0, got {self.scale:g} and {self.sigma:g}")
        if self.min_size < 1 or self.workers < 1:
            raise ValueError(f"min_size and workers must be at least 1, got {self.min_size} and {self.workers}")


def compute(
    rows: pd.DataFrame, *, dataset: Path, scale: float, sigma: float, min_size: int
) -> tuple[dict[str, list[NDArray]], list[dict[str, int]]]:
    """The superpixels of a shard; a function of the module so that other processes can run it."""
    photos = Dataset(dataset).photos(rows["dataset_row"].tolist())
    regions = [superpixels(photo, scale=scale, sigma=sigma, min_size=min_size) for photo in photos]
    return {"superpixels": regions}, [{"n_regions": int(r.max()) + 1} for r in regions]


def main(*, dataset: Path, out: Path) -> None:
    chosen = bind(Superpixels, section(load_params(), "superpixels"), "superpixels")
    photos = Dataset(dataset)
    table = photos.cue_table()
    size = padded(table, "y", "x")
    numbers: dict[str, Any] = {"scale": chosen.scale, "sigma": chosen.sigma, "min_size": chosen.min_size}
    write_store(
        out,
        partial(compute, dataset=dataset, **numbers),
        table=table,
        arrays={"superpixels": ArraySpec(("y", "x"), size, "uint16", OUTSIDE)},
        key=fingerprint(numbers, dataset / "photos"),
        attributes={"classes": list(photos.classes)},
        workers=chosen.workers,
    )


if __name__ == "__main__":
    run(main, "superpixels")
