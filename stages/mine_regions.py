"""Confident regions: a network learns the pure superpixels of a segmenter's labels, then judges all superpixels."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
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
from wsss_core.data.samples import TrainingSamples
from wsss_core.em.posterior import Absent, class_restricted_posterior
from wsss_core.losses.regions import RegionLoss
from wsss_core.models.inference import infer_grids
from wsss_core.models.regions import RegionNetwork, region_network_from
from wsss_core.stage import bind, load_params, section
from wsss_core.stage.command import run
from wsss_core.stores import ArraySpec, Store, fingerprint, open_store, write_store
from wsss_core.training.distributed import rank
from wsss_core.training.fit import fit
from wsss_core.training.repeatable import repeatable
from wsss_core.training.settings import changed_settings

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Regions:
    """A section of `mine_regions` (Wang et al. 2019, §3.2.3); without `splits`, all but val and test.

    Attributes:
        purity: share of one label from which on a superpixel is learnt.
        confidence: probability above which a superpixel gets the network's label.
        absent: what becomes of the probability of classes that the image lacks, see `estep`.
        images_seen: images that the network sees; the budget's if left out.
        width: channels of its features; the budget's if left out.
        training: what differs from the section of that name.
    """

    purity: float = 0.8
    confidence: float = 0.7
    absent: Absent = "drop"
    images_seen: int | None = None
    width: int | None = None
    training: dict[str, Any] = field(default_factory=dict)
    splits: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.confidence < 1:
            raise ValueError(f"confidence must lie in [0, 1), got {self.confidence}")
        if self.images_seen is not None and self.images_seen < 1:
            raise ValueError(f"images_seen must be at least 1, got {self.images_seen}")


def main(
    *,
    settings: str,
    seed: int,
    networks: int = 1,
    dataset: Path,
    labels: Path,
    superpixels: Path,
    start: Path,
    net: Path,
    out: Path,
) -> None:
    params = load_params()
    names = ["budget", "training", f"mine_regions.{settings}"]
    sections = [section(params, name) for name in names]
    budget, chosen = bind(Budget, sections[0], names[0]), bind(Regions, sections[2], names[2])
    training = changed_settings(sections[1], chosen.training, names[2])
    photos, targets, regions = Dataset(dataset), open_store(labels), open_store(superpixels)
    table = photos.cue_table(chosen.splits or photos.training_splits)
    table = table[table["image_id"].isin(targets.table["image_id"])].reset_index(drop=True)
    torch.manual_seed(seed)
    width = budget.width if chosen.width is None else chosen.width
    network, description = region_network_from(start, n_classes=len(photos.classes), width=width)
    augment = training.augment(budget, network.output_stride)
    images = budget.images(chosen.images_seen, networks)
    samples = TrainingSamples(photos, targets, rows=table, augment=augment, seed=seed, superpixels=regions)
    fit(
        net,
        network,
        samples,
        RegionLoss(purity=chosen.purity),
        saved_as={**description, "classes": list(photos.classes)},
        settings=training,
        images_seen=images,
        seed=seed,
        key=fingerprint([*sections, seed, images], dataset / "photos", labels, superpixels, start),
    )
    if rank():
        return  # one process writes the store
    network = network.eval()
    judge = Judge(network, regions, confidence=chosen.confidence, absent=chosen.absent, device=default_device())

    def compute(rows: pd.DataFrame) -> tuple[dict[str, list[NDArray]], list[dict[str, Any]]]:
        pictures = photos.photos(rows["dataset_row"].tolist())
        grids = infer_grids(
            network.features, pictures, size=budget.size, stride=network.output_stride, device=judge.device
        )
        maps, statistics = [], []
        for (shape, features), image_id, class_ids in zip(grids, rows["image_id"], rows["class_ids"], strict=True):
            map_, statistic = judge(image_id, features, shape, class_ids)
            maps.append(map_)
            statistics.append(statistic)
        return {"labels": maps}, statistics

    with repeatable():  # sums over regions, on a GPU
        index = write_store(
            out,
            compute,
            table=table,
            arrays={"labels": ArraySpec.labels((int(table["height"].max()), int(table["width"].max())))},
            key=fingerprint([*sections, seed], dataset / "photos", net, superpixels),
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
            "no confident region of %s in any image; lower mine_regions' confidence or purity, or train longer",
            ", ".join(classes[class_id] for class_id in missing),
        )


if __name__ == "__main__":
    run(main, "mine_regions")
