"""The contrast to spatial propagation: attention revised by a random walk over learned pixel affinities (PSA)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate

from wsss_core.affinity.random_walk import affinities, random_walk, transition
from wsss_core.cues.attention import normalise_cam
from wsss_core.cues.pair import read_attention
from wsss_core.data.budget import Budget
from wsss_core.data.dataset import Dataset
from wsss_core.data.device import default_device
from wsss_core.models.inference import enlarge, infer_grids, resize
from wsss_core.models.saved import load_pixel_features
from wsss_core.stage import bind, load_params, section
from wsss_core.stage.command import run
from wsss_core.stores import ArraySpec, fingerprint, open_store, padded, write_store
from wsss_core.stores.layout import quantise


@dataclass(frozen=True, kw_only=True)
class Walk:
    """A section of `walk` (Ahn & Kwak 2018, §3.3); without `splits`, all but val and test.

    How far an affinity reaches is the `radius` that the feature network was trained with.

    Attributes:
        beta: exponent of the affinities.
        log2_steps: the walk has 2 to this power steps.
        background: exponent of the background's score, (1 − max attention)^background.
    """

    beta: float = 8.0
    log2_steps: int = 8
    background: float = 16.0
    splits: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.background <= 0 or self.beta <= 0 or self.log2_steps < 0:
            raise ValueError(
                f"expected background > 0, beta > 0 and log2_steps >= 0, got {self.background:g}, {self.beta:g} and "
                f"{self.log2_steps}"
            )


def main(*, settings: str, dataset: Path, labels: Path, attention: Path, net: Path, out: Path) -> None:
    """Revise the `attention` of the images of the store `labels`, which the network `net` was trained on."""
    params = load_params()
    names = ["budget", f"walk.{settings}"]
    sections = [section(params, name) for name in names]
    budget, chosen = bind(Budget, sections[0], names[0]), bind(Walk, sections[1], names[1])
    photos, attended, device = Dataset(dataset), open_store(attention), default_device()
    network = load_pixel_features(net).to(device)
    table = photos.cue_table(chosen.splits or photos.training_splits)
    held = set(open_store(labels).table["image_id"]) & set(attended.table["image_id"])
    table = table[table["image_id"].isin(held)].reset_index(drop=True)
    dims = ("class", "y", "x")

    def compute(rows: pd.DataFrame) -> tuple[dict[str, list[NDArray]], list[dict[str, float]]]:
        pictures = photos.photos(rows["dataset_row"].tolist())
        grids = infer_grids(network, pictures, size=budget.size, stride=network.output_stride, device=device)
        maps: dict[str, list[NDArray]] = {"labels": [], "attention": []}
        for (entered, features), image_id, class_ids in zip(grids, rows["image_id"], rows["class_ids"], strict=True):
            before = read_attention(attended, image_id)
            walked = revise(features, before, entered, chosen, radius=network.radius)
            maps["labels"].append(most_likely(walked, class_ids))
            maps["attention"].append(quantise(normalise_cam(walked[1:])))
        return maps, [{"background": float((map_ == 0).mean())} for map_ in maps["labels"]]

    write_store(
        out,
        compute,
        table=table,
        arrays={
            "labels": ArraySpec.labels(padded(table, "y", "x")),
            "attention": ArraySpec.soft(dims, padded(table, *dims)),
        },
        key=fingerprint(sections, dataset / "photos", labels, attention, net),
        attributes={"classes": list(photos.classes), "network": "cam"},
    )


@torch.inference_mode()
def revise(
    features: Tensor, attention: NDArray, entered: tuple[int, int], chosen: Walk, *, radius: float
) -> NDArray[np.float32]:
    """Background's and the classes' scores after the walk, ≥ 0, (1 + K, H, W), of attention (K, H, W) in [0, 1].

    Args:
        features: (D, h, w) on the grid of a photo that entered the network with `entered` pixels.
        radius: pairs of nodes less than this far apart have an affinity.
    """
    planes = [resize(plane, entered) for plane in attention]
    grid = (features.shape[1], features.shape[2])
    small = interpolate(torch.from_numpy(np.stack(planes))[None], size=grid, mode="bilinear", align_corners=True)[0]
    small = small.to(features.device)
    background = (1 - small.amax(0, keepdim=True)) ** chosen.background
    pairs = affinities(features / len(features), radius=radius)
    scores = random_walk(
        torch.cat([background, small]), transition(pairs, beta=chosen.beta), log2_steps=chosen.log2_steps
    )
    return enlarge(scores, entered, (attention.shape[1], attention.shape[2]))[0].cpu().numpy()


def most_likely(scores: NDArray, class_ids: Sequence[int]) -> NDArray[np.uint8]:
    """Labels (H, W) of scores (1 + K, H, W): background, or one of the image's K classes."""
    labels: NDArray[np.uint8] = np.array([0, *class_ids], np.uint8)[scores.argmax(0)]
    return labels


if __name__ == "__main__":
    run(main, "walk")
