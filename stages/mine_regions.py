"""Confident regions: the superpixels that a trained region network is sure of."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from wsss_core.affinity.regions import IGNORE, confident_regions, pool
from wsss_core.data.budget import Budget
from wsss_core.data.dataset import Dataset
from wsss_core.data.device import default_device
from wsss_core.em.posterior import Absent, class_restricted_posterior
from wsss_core.models.inference import infer_grids
from wsss_core.models.regions import RegionNetwork
from wsss_core.models.saved import load_region_network
from wsss_core.stage import bind, load_params, section
from wsss_core.stage.command import run
from wsss_core.stores import ArraySpec, Store, fingerprint, open_store, padded, write_store
from wsss_core.training.repeatable import repeatable

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ConfidentRegions:
    """A section of `mine_regions` (Wang et al. 2019, §3.2.3); without `splits`, all but val and test.

    Attributes:
        confidence: probability above which a superpixel gets the network's label, in [0, 1).
        absent: what becomes of the probability of classes that the image lacks, see `estep`.
    """

    confidence: float = 0.7
    absent: Absent = "drop"
    splits: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.confidence < 1:
            raise ValueError(f"confidence must lie in [0, 1), got {self.confidence}")


def main(*, settings: str, dataset: Path, labels: Path, superpixels: Path, net: Path, out: Path) -> None:
    """Judge the images of the store `labels`, which the network `net` was trained on."""
    params = load_params()
    names = ["budget", f"mine_regions.{settings}"]
    sections = [section(params, name) for name in names]
    budget, chosen = bind(Budget, sections[0], names[0]), bind(ConfidentRegions, sections[1], names[1])
    photos, device = Dataset(dataset), default_device()
    network = load_region_network(net, classes=photos.classes).to(device)
    judge = Judge(network, open_store(superpixels), confidence=chosen.confidence, absent=chosen.absent, device=device)
    table = photos.cue_table(chosen.splits or photos.training_splits)
    table = table[table["image_id"].isin(open_store(labels).table["image_id"])].reset_index(drop=True)

    def compute(rows: pd.DataFrame) -> tuple[dict[str, list[NDArray]], list[dict[str, Any]]]:
        pictures = photos.photos(rows["dataset_row"].tolist())
        grids = infer_grids(network.features, pictures, size=budget.size, stride=network.output_stride, device=device)
        images = zip(grids, rows["image_id"], rows["class_ids"], strict=True)
        judged = [judge(image_id, features, entered, ids) for (entered, features), image_id, ids in images]
        return {"labels": [map_ for map_, _ in judged]}, [statistics for _, statistics in judged]

    with repeatable():  # sums over regions, on a GPU
        index = write_store(
            out,
            compute,
            table=table,
            arrays={"labels": ArraySpec.labels(padded(table, "y", "x"))},
            key=fingerprint(sections, dataset / "photos", labels, superpixels, net),
            attributes={"classes": list(photos.classes)},
        )
    warn(index, photos.classes)


@dataclass(frozen=True)
class Judge:
    """Turns an image's features into the labels of its confident superpixels."""

    network: RegionNetwork
    superpixels: Store
    confidence: float
    absent: Absent
    device: torch.device

    @torch.inference_mode()
    def __call__(
        self, image_id: str, features: Tensor, entered: tuple[int, int], class_ids: Sequence[int]
    ) -> tuple[NDArray[np.uint8], dict[str, Any]]:
        """Label map, uint8 (H, W), and statistics of an image.

        Args:
            features: float (D, h, w) on the grid of a photo of `entered` pixels.
            class_ids: the image's classes; no other one is ever given.
        """
        numbers = self.superpixels.read("superpixels", self.superpixels.row_of(image_id))
        regions = torch.from_numpy(numbers.astype(np.int64)).to(self.device)
        logits = self.network.classify(pool(features[None], regions[None], int(numbers.max()) + 1, entered=entered))[0]
        present = torch.zeros(logits.shape[1], dtype=torch.bool, device=self.device)
        present[[0, *class_ids]] = True
        line = logits.T[:, None]  # (C, 1, R): regions side by side, as the pixels of a picture
        posterior = class_restricted_posterior(line, present, absent=self.absent)[:, 0].T
        label = confident_regions(posterior, confidence=self.confidence).cpu().numpy().astype(np.uint8)
        map_ = label[numbers]
        return map_, {
            "regions": len(label),
            "confident_regions": int((label != IGNORE).sum()),
            "labelled": float((map_ != IGNORE).mean()),
            "confident_ids": np.setdiff1d(label, [IGNORE]).tolist(),
        }


def warn(index: pd.DataFrame, classes: Sequence[str]) -> None:
    """Say how many images have no confident region, and which classes none in any image."""
    if empty := int((index["confident_regions"] == 0).sum()):
        LOG.warning("%d of %d images have no confident region; nothing is learnt from them", empty, len(index))
    tagged = {0} | {int(class_id) for ids in index["class_ids"] for class_id in ids}
    found = {int(class_id) for ids in index["confident_ids"] for class_id in ids}
    if missing := sorted(tagged - found):
        LOG.warning(
            "no confident region of %s in any image; lower mine_regions' confidence or train_regions' purity, "
            "or train longer",
            ", ".join(classes[class_id] for class_id in missing),
        )


if __name__ == "__main__":
    run(main, "mine_regions")
