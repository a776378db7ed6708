"""Online EM: train a segmentation network on tags alone, the E-step taken inside every training step."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from wsss_core.data.budget import Budget
from wsss_core.data.dataset import Dataset
from wsss_core.data.samples import TrainingSamples
from wsss_core.em.online import AdaptivePriorEM
from wsss_core.models.heads import HeadName
from wsss_core.models.segmenter import segmenter_from
from wsss_core.stage import InputError, bind, load_params, section
from wsss_core.stage.command import run
from wsss_core.stores import fingerprint
from wsss_core.training.fit import fit
from wsss_core.training.settings import TrainingSettings


@dataclass(frozen=True, kw_only=True)
class OnlineEM:
    """A section of `train_em`; without `splits`, all but val and test.

    Attributes:
        loss: the E-step and what is minimised.
        head, width: the decoder, this method's own instead of the budget's.
        max_labels: classes that an image may have to be trained on; null for all images.
        images_seen: the budget's if left out.
        training: what differs from the section `training`.
    """

    loss: AdaptivePriorEM = field(default_factory=AdaptivePriorEM)
    head: HeadName = "skip"
    width: int | None = None
    max_labels: int | None = 1
    images_seen: int | None = None
    training: dict[str, Any] = field(default_factory=dict)
    splits: tuple[str, ...] | None = None


def main(*, settings: str, seed: int, dataset: Path, start: Path, out: Path) -> None:
    params = load_params()
    names = ["budget", "training", f"train_em.{settings}"]
    sections = [section(params, name) for name in names]
    budget, chosen = bind(Budget, sections[0], names[0]), bind(OnlineEM, sections[2], names[2])
    bind(TrainingSettings, sections[1], names[1])
    training = bind(TrainingSettings, sections[1] | chosen.training, f"{names[2]}.training")
    photos = Dataset(dataset)
    table = photos.cue_table(chosen.splits or photos.training_splits)
    if chosen.max_labels is not None:
        table = table[table["n_classes"] <= chosen.max_labels].reset_index(drop=True)
        if table.empty:
            raise InputError(
                f"{dataset}: no image has so few classes; raise {names[2]}.max_labels, {chosen.max_labels}"
            )
    torch.manual_seed(seed)
    model, description = segmenter_from(start, head=chosen.head, width=chosen.width, n_classes=len(photos.classes))
    fit(
        out,
        model,
        TrainingSamples(photos, None, rows=table, augment=training.augment(budget, model.output_stride), seed=seed),
        chosen.loss,
        saved_as={**description, "classes": list(photos.classes)},
        settings=training,
        images_seen=budget.images_seen if chosen.images_seen is None else chosen.images_seen,
        seed=seed,
        key=fingerprint([*sections, seed], dataset / "photos", start),
    )


if __name__ == "__main__":
    run(main, "train_em")
