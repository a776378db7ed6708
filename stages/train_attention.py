"""Train an attention network (FCAN or CAM) on nothing but the images' tags."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch

from wsss_core.data.budget import Budget
from wsss_core.data.dataset import Dataset
from wsss_core.data.samples import TrainingSamples
from wsss_core.losses.multi_label import multi_label_loss
from wsss_core.models.attention import FCAN, attention_from
from wsss_core.models.heads import HeadName
from wsss_core.stage import bind, load_params, section
from wsss_core.stage.command import run
from wsss_core.stores import fingerprint
from wsss_core.training.fit import fit
from wsss_core.training.settings import changed_settings


@dataclass(frozen=True, kw_only=True)
class AttentionTraining:
    """A section of `train_attention`; without `splits`, all but val and test.

    `head` (LargeFOV if left out), `width`, `pool` (the mean, `gap`) and `only_last_layers` are for FCAN only;
    `training` holds what differs from the section of that name.
    """

    network: Literal["fcan", "cam"]
    images_seen: int
    head: HeadName | None = None
    width: int | None = None
    pool: Literal["gap", "gmp"] | None = None
    only_last_layers: bool = False
    training: dict[str, Any] = field(default_factory=dict)
    seed: int = 0
    splits: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.images_seen < 1:
            raise ValueError(f"images_seen must be at least 1, got {self.images_seen}")
        for name in ("head", "width", "pool", "only_last_layers"):
            if self.network == "cam" and getattr(self, name):
                raise ValueError(f"{name}: cam ends in a single layer and pools by its mean; it is for fcan")


def main(*, settings: str, dataset: Path, start: Path, out: Path) -> None:
    params = load_params()
    names = ["budget", "training", f"train_attention.{settings}"]
    sections = [section(params, name) for name in names]
    budget = bind(Budget, sections[0], names[0])
    chosen = bind(AttentionTraining, sections[2], names[2])
    training = changed_settings(sections[1], chosen.training, names[2])
    photos = Dataset(dataset)
    torch.manual_seed(chosen.seed)
    model, description = attention_from(
        start,
        network=chosen.network,
        head=chosen.head or "largefov",
        width=chosen.width,
        pool=chosen.pool or "gap",
        n_classes=len(photos.classes),
    )
    if isinstance(model, FCAN) and chosen.only_last_layers:
        model.freeze_all_but_last_layers()
    samples = TrainingSamples(
        photos,
        None,
        rows=photos.cue_table(chosen.splits or photos.training_splits),
        augment=training.augment(budget, model.output_stride),
        seed=chosen.seed,
    )
    fit(
        out,
        model,
        samples,
        multi_label_loss,
        saved_as={**description, "classes": list(photos.classes)},
        settings=training,
        images_seen=chosen.images_seen,
        seed=chosen.seed,
        key=fingerprint(sections, dataset / "photos", start),
        description=f"attention {settings}",
    )


if __name__ == "__main__":
    run(main, "train_attention")
