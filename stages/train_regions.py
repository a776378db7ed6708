"""The region network: learn the pure superpixels of a segmenter's labels."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from wsss_core.data.budget import Budget
from wsss_core.data.dataset import Dataset
from wsss_core.data.samples import TrainingSamples
from wsss_core.losses.regions import RegionLoss
from wsss_core.models.regions import region_network_from
from wsss_core.stage import bind, load_params, section
from wsss_core.stage.command import run
from wsss_core.stores import fingerprint, open_store
from wsss_core.training.fit import fit
from wsss_core.training.settings import changed_settings


@dataclass(frozen=True, kw_only=True)
class PureRegions:
    """A section of `train_regions` (Wang et al. 2019, §3.2.3); without `splits`, all but val and test.

    Attributes:
        purity: a superpixel is learnt if one label has more than this share of its pixels, in [0, 1).
        images_seen: images that the network sees; the budget's if left out.
        width: channels of its features; the budget's if left out.
        training: what differs from the section of that name.
    """

    purity: float = 0.8
    images_seen: int | None = None
    width: int | None = None
    training: dict[str, Any] = field(default_factory=dict)
    splits: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
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
    out: Path,
) -> None:
    params = load_params()
    names = ["budget", "training", f"train_regions.{settings}"]
    sections = [section(params, name) for name in names]
    budget, chosen = bind(Budget, sections[0], names[0]), bind(PureRegions, sections[2], names[2])
    training = changed_settings(sections[1], chosen.training, names[2])
    photos, targets, regions = Dataset(dataset), open_store(labels), open_store(superpixels)
    table = photos.cue_table(chosen.splits or photos.training_splits)
    table = table[table["image_id"].isin(targets.table["image_id"])]
    width = budget.width if chosen.width is None else chosen.width
    images = budget.images(chosen.images_seen, networks)
    torch.manual_seed(seed)
    network, description = region_network_from(start, n_classes=len(photos.classes), width=width)
    augment = training.augment(budget, network.output_stride)
    fit(
        out,
        network,
        TrainingSamples(photos, targets, rows=table, augment=augment, seed=seed, superpixels=regions),
        RegionLoss(purity=chosen.purity),
        saved_as={**description, "classes": list(photos.classes)},
        settings=training,
        images_seen=images,
        seed=seed,
        key=fingerprint([*sections, seed, images], dataset / "photos", labels, superpixels, start),
    )


if __name__ == "__main__":
    run(main, "train_regions")
