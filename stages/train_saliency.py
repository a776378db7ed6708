"""Train the class-agnostic saliency detector on photos with masks of what stands out."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray

from wsss_core.cues.detectors import Detect, network_detector
from wsss_core.data.budget import Budget
from wsss_core.data.dataset import Dataset
from wsss_core.data.device import default_device
from wsss_core.data.samples import TrainingSamples
from wsss_core.evaluation.saliency import saliency_figures
from wsss_core.losses.saliency import SaliencyLoss
from wsss_core.models.segmenter import segmenter_from
from wsss_core.stage import bind, load_params, section
from wsss_core.stage.command import run
from wsss_core.stores import fingerprint, open_store
from wsss_core.training.fit import fit
from wsss_core.training.settings import changed_settings


@dataclass(frozen=True, kw_only=True)
class Detector:
    """Section `train_saliency`; without `splits`, all but val and test. `training`: what differs from that section."""

    images_seen: int
    seed: int = 0
    splits: tuple[str, ...] | None = None
    training: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.images_seen < 1:
            raise ValueError(f"images_seen must be at least 1, got {self.images_seen}")


def main(*, pairs: Path, start: Path, out: Path) -> None:
    params = load_params()
    names = ["budget", "training", "train_saliency"]
    sections = [section(params, name) for name in names]
    budget = bind(Budget, sections[0], names[0])
    detector = bind(Detector, sections[2], names[2])
    training = changed_settings(sections[1], detector.training, names[2])
    photos = Dataset(pairs)
    torch.manual_seed(detector.seed)
    model, description = segmenter_from(start, head="pyramid", width=None, n_classes=1)
    samples = TrainingSamples(
        photos,
        open_store(pairs / "masks"),
        rows=photos.cue_table(detector.splits or photos.training_splits),
        augment=training.augment(budget, model.output_stride),
        seed=detector.seed,
    )
    fit(
        out,
        model,
        samples,
        SaliencyLoss(),
        saved_as=description,
        settings=training,
        images_seen=detector.images_seen,
        seed=detector.seed,
        key=fingerprint(sections, pairs / "photos", pairs / "masks", start),
        description="saliency network",
        figures=lambda net: held_out_figures(network_detector(net, size=budget.size, device=default_device()), photos),
    )


def held_out_figures(detect: Detect, photos: Dataset) -> dict[str, float]:
    """IoU and mean absolute error on the pairs kept apart for that; none where all pairs are trained on."""
    table = photos.cue_table(photos.held_out_splits)
    if set(photos.held_out_splits) <= set(photos.training_splits):
        return {}

    def scored() -> Iterator[tuple[NDArray, NDArray]]:
        for row in table.itertuples():
            (map_,), truth = detect([photos.photo(row.dataset_row)]), photos.mask(row.image_id)
            if truth is not None:
                yield map_, truth

    return saliency_figures(scored())


if __name__ == "__main__":
    run(main, "train_saliency")
