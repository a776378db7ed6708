"""The feature network of the random walk: learn which nearby pixels belong together, from pairs with labels (PSA)."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from wsss_core.data.budget import Budget
from wsss_core.data.dataset import Dataset
from wsss_core.data.samples import TrainingSamples
from wsss_core.losses.pixel_pairs import PixelPairLoss
from wsss_core.models.pixel_features import pixel_features_from
from wsss_core.stage import bind, load_params, section
from wsss_core.stage.command import run
from wsss_core.stores import fingerprint, open_store
from wsss_core.training.fit import fit
from wsss_core.training.settings import changed_settings


@dataclass(frozen=True, kw_only=True)
class PixelPairs:
    """A section of `train_pixel_features` (Ahn & Kwak 2018, §3.2); without `splits`, all but val and test.

    Attributes:
        radius: pairs less than this far apart are learnt, in nodes of stride 8, > 1; saved with the network, so that
            `walk` walks as far.
        images_seen: images that the network sees; the budget's if left out.
        width: its features.
        training: what differs from the section of that name.
    """

    radius: float = 5.0
    images_seen: int | None = None
    width: int = 64
    training: dict[str, Any] = field(default_factory=dict)
    splits: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.images_seen is not None and self.images_seen < 1:
            raise ValueError(f"images_seen must be at least 1, got {self.images_seen}")


def main(*, settings: str, seed: int, networks: int = 1, dataset: Path, labels: Path, start: Path, out: Path) -> None:
    params = load_params()
    names = ["budget", "training", f"train_pixel_features.{settings}"]
    sections = [section(params, name) for name in names]
    budget, chosen = bind(Budget, sections[0], names[0]), bind(PixelPairs, sections[2], names[2])
    training = changed_settings(sections[1], chosen.training, names[2])
    photos, seeds = Dataset(dataset), open_store(labels)
    table = photos.cue_table(chosen.splits or photos.training_splits)
    table = table[table["image_id"].isin(seeds.table["image_id"])]
    images = budget.images(chosen.images_seen, networks)
    torch.manual_seed(seed)
    network, description = pixel_features_from(start, width=chosen.width, radius=chosen.radius)
    augment = training.augment(budget, network.output_stride)
    fit(
        out,
        network,
        TrainingSamples(photos, seeds, rows=table, augment=augment, seed=seed),
        PixelPairLoss(radius=chosen.radius),
        saved_as=description,
        settings=training,
        images_seen=images,
        seed=seed,
        key=fingerprint([*sections, seed, images], dataset / "photos", labels, start),
    )


if __name__ == "__main__":
    run(main, "train_pixel_features")
