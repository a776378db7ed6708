"""Every M-step: train a segmentation network on a label store or on a posterior store."""

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

import torch

from wsss_core.data.budget import Budget
from wsss_core.data.dataset import Dataset
from wsss_core.data.samples import TrainingSamples
from wsss_core.losses.joint import JointLoss
from wsss_core.losses.mining import MiningLoss
from wsss_core.losses.neighbourhood import NeighbourhoodKL
from wsss_core.models.attention import joint_from
from wsss_core.models.heads import HeadName
from wsss_core.models.segmenter import segmenter_from
from wsss_core.stage import bind, load_params, section
from wsss_core.stage.command import run
from wsss_core.stores import fingerprint, open_store
from wsss_core.training.fit import fit
from wsss_core.training.settings import changed_settings


@dataclass(frozen=True, kw_only=True)
class Segmentation:
    """A section of `train_segmenter`; without `splits`, all but val and test. See `MiningLoss` for the loss.

    `head`, `width` and `images_seen`, a share of all, come from the budget if left out; no images store the untrained
    network. With `joint` an FCAN goes on learning its classes beside the pixels, and its own head is kept. `training`
    holds what differs from the section of that name.
    """

    heuristic: Literal["max", "relative"] = "relative"
    eta: float = 0.0
    confidence_of: Literal["posterior", "likelihood"] = "posterior"
    iou_gain: float = 1.0
    neighbourhood_weight: float = 0.0
    neighbourhood: NeighbourhoodKL = field(default_factory=NeighbourhoodKL)
    joint: bool = False
    images_seen: int | None = None
    head: HeadName | None = None
    width: int | None = None
    training: dict[str, Any] = field(default_factory=dict)
    splits: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.joint and (self.head or self.width):
            raise ValueError("joint: the FCAN has a head of its own; leave out head and width")


def main(*, settings: str, seed: int, networks: int = 1, dataset: Path, labels: Path, start: Path, out: Path) -> None:
    """Train one of the `networks` that the budget is shared by."""
    params = load_params()
    names = ["budget", "training", f"train_segmenter.{settings}"]
    sections = [section(params, name) for name in names]
    budget = bind(Budget, sections[0], names[0])
    chosen = bind(Segmentation, sections[2], names[2])
    training = changed_settings(sections[1], chosen.training, names[2])
    loss = MiningLoss(**{term.name: getattr(chosen, term.name) for term in fields(MiningLoss)})
    photos, targets = Dataset(dataset), open_store(labels)
    table = photos.cue_table(chosen.splits or photos.training_splits)
    table = table[table["image_id"].isin(targets.table["image_id"])]
    images = budget.images(chosen.images_seen, networks)
    head, width = budget.decoder(chosen.head, chosen.width)
    torch.manual_seed(seed)
    model, description = (
        joint_from(start, photos.classes)
        if chosen.joint
        else segmenter_from(start, head=head, width=width, n_classes=len(photos.classes))
    )
    samples = TrainingSamples(
        photos, targets, rows=table, augment=training.augment(budget, model.output_stride), seed=seed
    )
    fit(
        out,
        model,
        samples,
        JointLoss(loss) if chosen.joint else loss,
        saved_as={**description, "classes": list(photos.classes)},
        settings=training,
        images_seen=images,
        seed=seed,
        key=fingerprint([*sections, seed, images], dataset / "photos", labels, start),
        photos=len(table),
    )


if __name__ == "__main__":
    run(main, "train_segmenter")
