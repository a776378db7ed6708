"""The contrast to spatial propagation: attention revised by a random walk over learned pixel affinities (PSA)."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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
from wsss_core.data.samples import TrainingSamples
from wsss_core.losses.pixel_pairs import PixelPairLoss
from wsss_core.models.inference import enlarge, infer_grids, resize
from wsss_core.models.pixel_features import pixel_features_from
from wsss_core.stage import bind, load_params, section
from wsss_core.stage.command import run
from wsss_core.stores import ArraySpec, fingerprint, open_store, write_store
from wsss_core.stores.layout import quantise
from wsss_core.training.distributed import rank
from wsss_core.training.fit import fit
from wsss_core.training.settings import changed_settings


@dataclass(frozen=True, kw_only=True)
class Walk:
    """A section of `walk` (Ahn & Kwak 2018, §3); without `splits`, all but val and test.

    Attributes:
        radius: reach of an affinity, in nodes of stride 8.
        beta: exponent of the affinities.
        log2_steps: the walk has 2 to this power steps.
        background: exponent of the background's score, (1 − max attention)^background.
        images_seen: images that the feature network sees; the budget's if left out.
        width: its features.
        training: what differs from the section of that name.
    """

    radius: float = 5.0
    beta: float = 8.0
    log2_steps: int = 8
    background: float = 16.0
    images_seen: int | None = None
    width: int = 64
    training: dict[str, Any] = field(default_factory=dict)
    splits: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.images_seen is not None and self.images_seen < 1:
            raise ValueError(f"images_seen must be at least 1, got {self.images_seen}")
        if self.background <= 0 or self.beta <= 0 or self.log2_steps < 0:
            raise ValueError(
                f"expected background > 0, beta > 0 and log2_steps >= 0, got {self.background:g}, {self.beta:g} and "
                f"{self.log2_steps}"
            )


def main(
    *,
    settings: str,
    seed: int,
    networks: int = 1,
    dataset: Path,
    labels: Path,
    attention: Path,
    start: Path,
    net: Path,
    out: Path,
) -> None:
    params = load_params()
    names = ["budget", "training", f"walk.{settings}"]
    sections = [section(params, name) for name in names]
    budget, chosen = bind(Budget, sections[0], names[0]), bind(Walk, sections[2], names[2])
    training = changed_settings(sections[1], chosen.training, names[2])
    photos, seeds, attended = Dataset(dataset), open_store(labels), open_store(attention)
    device = default_device()
    table = photos.cue_table(chosen.splits or photos.training_splits)
    held = set(seeds.table["image_id"]) & set(attended.table["image_id"])
    table = table[table["image_id"].isin(held)].reset_index(drop=True)
    torch.manual_seed(seed)
    network, description = pixel_features_from(start, width=chosen.width)
    augment = training.augment(budget, network.output_stride)
    images = budget.images(chosen.images_seen, networks)
    fit(
        net,
        network,
        TrainingSamples(photos, seeds, rows=table, augment=augment, seed=seed),
        PixelPairLoss(radius=chosen.radius),
        saved_as=description,
        settings=training,
        images_seen=images,
        seed=seed,
        key=fingerprint([*sections, seed, images], dataset / "photos", labels, start),
    )
    if rank():
        return  # one process writes the store
    network = network.eval()

    def compute(rows: pd.DataFrame) -> tuple[dict[str, list[NDArray]], list[dict[str, float]]]:
        pictures = photos.photos(rows["dataset_row"].tolist())
        grids = infer_grids(network, pictures, size=budget.size, stride=network.output_stride, device=device)
        maps: dict[str, list[NDArray]] = {"labels": [], "attention": []}
        for (entered, features), image_id, class_ids in zip(grids, rows["image_id"], rows["class_ids"], strict=True):
            walked = revise(features, read_attention(attended, image_id), entered, chosen)
            maps["labels"].append(np.array([0, *class_ids], np.uint8)[walked.argmax(0)])
            maps["attention"].append(quantise(normalise_cam(walked[1:])))
        return maps, [{"background": float((map_ == 0).mean())} for map_ in maps["labels"]]

    height, width, n_classes = (int(table[column].max()) for column in ("height", "width", "n_classes"))
    write_store(
        out,
        compute,
        table=table,
        arrays={
            "labels": ArraySpec.labels((height, width)),
            "attention": ArraySpec.soft(("class", "y", "x"), (n_classes, height, width)),
        },
        key=fingerprint([*sections, seed], dataset / "photos", net, attention),
        attributes={"classes": list(photos.classes), "network": "cam"},
    )


@torch.inference_mode()
def revise(features: Tensor, attention: NDArray, entered: tuple[int, int], chosen: Walk) -> NDArray[np.float32]:
    """Background's and the classes' scores after the walk, ≥ 0, (1 + K, H, W), of attention (K, H, W) in [0, 1].

    Args:
        features: (D, h, w) on the grid of a photo that entered the network with `entered` pixels.
    """
    planes = [resize(plane, entered) for plane in attention]
    grid = (features.shape[1], features.shape[2])
    small = interpolate(torch.from_numpy(np.stack(planes))[None], size=grid, mode="bilinear", align_corners=True)[0]
    small = small.to(features.device)
    background = (1 - small.amax(0, keepdim=True)) ** chosen.background
    pairs = affinities(features / len(features), radius=chosen.radius)
    scores = random_walk(
        torch.cat([background, small]), transition(pairs, beta=chosen.beta), log2_steps=chosen.log2_steps
    )
    return enlarge(scores, entered, (attention.shape[1], attention.shape[2]))[0].cpu().numpy()


if __name__ == "__main__":
    run(main, "walk")
