"""Predictions without a segmenter: the classes that an FCAN sees, where their attention and the saliency agree."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from wsss_core.cues.attention import normalise
from wsss_core.cues.mining import Combination, mine_harmonic
from wsss_core.data.budget import Budget
from wsss_core.data.dataset import Dataset
from wsss_core.data.device import default_device
from wsss_core.models.attention import FCAN
from wsss_core.models.inference import infer_grids, infer_maps
from wsss_core.models.saved import load_attention
from wsss_core.stage import InputError, bind, load_params, section
from wsss_core.stage.command import run
from wsss_core.stores import ArraySpec, fingerprint, open_store, padded, write_store


@dataclass(frozen=True, kw_only=True)
class CueMap:
    """Section `cue_map`; without `splits`, val and test.

    Attributes:
        probability: from which a class counts as present; the most likely one always does.
        combine, threshold: how attention and saliency are joined, and γ.
        scales, mirror: views of a photo.
    """

    probability: float = 0.5
    combine: Combination = "arithmetic"
    threshold: float = 0.4
    scales: tuple[float, ...] = (1.0,)
    mirror: bool = False
    splits: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        for name in ("probability", "threshold"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be in [0, 1], got {getattr(self, name)}")


def main(*, dataset: Path, saliency: Path, net: Path, out: Path) -> None:
    params = load_params()
    sections = [section(params, "budget"), section(params, "cue_map")]
    budget, chosen = bind(Budget, sections[0], "budget"), bind(CueMap, sections[1], "cue_map")
    photos, salient, device = Dataset(dataset), open_store(saliency), default_device()
    model, _ = load_attention(net)
    if not isinstance(model, FCAN):
        raise InputError(f"{net}: expected an FCAN, whose volume pools to its class scores")
    model = model.to(device)
    table = photos.cue_table(chosen.splits or photos.held_out_splits)
    missing = [image_id for image_id in table["image_id"] if image_id not in salient]
    if missing:
        raise InputError(f"{saliency}: no map of {missing[0]} and {len(missing) - 1} more; give saliency their splits")

    def label(volume: torch.Tensor, grid: torch.Tensor, image_id: str) -> NDArray[np.uint8]:
        # The photo at scale 1 tells the classes: a maximum over scales makes all of them look likelier.
        likely = model.pooled(grid[None])[0].sigmoid().cpu().numpy()
        classes = np.flatnonzero((likely >= chosen.probability) | (likely == likely.max()))
        attention = normalise(volume.cpu().numpy()[classes])
        s = salient.read("saliency", salient.row_of(image_id))[-1] / np.float32(255)
        return mine_harmonic(s, attention, (classes + 1).tolist(), how=chosen.combine, threshold=chosen.threshold)

    def compute(rows: pd.DataFrame) -> tuple[dict[str, list[NDArray]], list[dict[str, float]]]:
        pictures = photos.photos(rows["dataset_row"].tolist())
        where: dict[str, Any] = {"size": budget.size, "stride": model.output_stride, "device": device}
        volumes = infer_maps(
            model.volume, pictures, scales=chosen.scales, mirror=chosen.mirror, join=model.join, **where
        )
        grids = infer_grids(model.volume, pictures, **where)
        together = zip(volumes, grids, rows["image_id"], strict=True)
        maps = [label(volume, grid, image_id) for (_, volume), (_, grid), image_id in together]
        return {"labels": maps}, [{"background": float((map_ == 0).mean())} for map_ in maps]

    write_store(
        out,
        compute,
        table=table,
        arrays={"labels": ArraySpec.labels(padded(table, "y", "x"))},
        key=fingerprint(sections, dataset / "photos", saliency, net),
        attributes={"classes": list(photos.classes)},
    )


if __name__ == "__main__":
    run(main, "cue_map")
