"""Hierarchical saliency: detect, erase what was found, detect again; every step and every erased mask is kept."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wsss_core.cues.detectors import Detect, network_detector, onnx_detector, read_maps
from wsss_core.cues.saliency import hierarchical_saliency
from wsss_core.data.budget import Budget
from wsss_core.data.dataset import Dataset
from wsss_core.data.device import default_device
from wsss_core.stage import InputError, bind, load_params, section
from wsss_core.stage.command import run
from wsss_core.stores import ArraySpec, fingerprint, padded, write_store
from wsss_core.stores.layout import quantise


@dataclass(frozen=True, kw_only=True)
class Saliency:
    """Section `saliency`; without `splits`, all images."""

    thresholds: tuple[float, ...] = (0.7, 0.8)
    splits: tuple[str, ...] | None = None


def main(*, dataset: Path, detector: Path, out: Path) -> None:
    params = load_params()
    sections = [section(params, "budget"), section(params, "saliency")]
    budget, chosen = bind(Budget, sections[0], "budget"), bind(Saliency, sections[1], "saliency")
    photos = Dataset(dataset)
    table = photos.cue_table(chosen.splits)
    detect: Detect | None = None
    if detector.suffix == ".onnx":
        detect = onnx_detector(detector)
    elif (detector / "model.json").is_file():
        detect = network_detector(detector, size=budget.size, device=default_device())
    elif chosen.thresholds:
        raise InputError(
            f"{detector}: ready-made maps cannot be erased and detected again; set saliency.thresholds: []"
        )
    steps, size = len(chosen.thresholds) + 1, padded(table, "y", "x")
    arrays = {"saliency": ArraySpec.soft(("step", "y", "x"), (steps, *size))}
    if steps > 1:
        arrays["erased"] = ArraySpec(("erasing", "y", "x"), (steps - 1, *size))

    def compute(rows: pd.DataFrame) -> tuple[dict[str, list[NDArray]], list[dict[str, float]]]:
        pictures = photos.photos(rows["dataset_row"].tolist())
        maps = partial(read_maps, detector, rows["image_id"].tolist(), [p.shape[:2] for p in pictures])
        found = hierarchical_saliency(
            pictures, detect or (lambda _: maps()), thresholds=chosen.thresholds, mean_colour=photos.mean_colour
        )
        stacks = {"saliency": [quantise(f.steps) for f in found]}
        if steps > 1:
            stacks["erased"] = [f.erased.astype(np.uint8) for f in found]
        return stacks, [{f"area_{k + 1}": float((step > 0.5).mean()) for k, step in enumerate(f.steps)} for f in found]

    write_store(
        out,
        compute,
        table=table,
        arrays=arrays,
        key=fingerprint(sections, dataset / "photos", detector),
        attributes={"classes": list(photos.classes)},
    )


if __name__ == "__main__":
    run(main, "saliency")
