"""Online EM: train a segmentation network on masks of some images and on tags or boxes of the others."""

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch

from wsss_core.data.budget import Budget
from wsss_core.data.composition import Composition, Source, compose, joined_classes
from wsss_core.data.dataset import Dataset
from wsss_core.data.mixture import Mixture
from wsss_core.em.online import OnlineEM
from wsss_core.models.heads import HeadName
from wsss_core.models.segmenter import segmenter_from
from wsss_core.stage import InputError, bind, load_params, section
from wsss_core.stage.command import run
from wsss_core.stores import fingerprint, open_store
from wsss_core.training.distributed import world_size
from wsss_core.training.fit import fit
from wsss_core.training.settings import changed_settings


@dataclass(frozen=True, kw_only=True)
class Training:
    """A section of `train_em`.

    Attributes:
        loss: the E-step and what is minimised.
        images: what the data set gives.
        second: what the second data set gives, where the row names one.
        head, width: the decoder; the budget's if left out.
        field_of_view: of the head `largefov` on VGG-16, in pixels; if left out, 128 with tags alone and 224 otherwise
            (Papandreou et al. 2015, §4.1).
        images_seen: the budget's if left out.
        training: what differs from the section `training`.
    """

    loss: OnlineEM = field(default_factory=OnlineEM)
    images: Composition = field(default_factory=Composition)
    second: Composition = field(default_factory=Composition)
    head: HeadName | None = None
    width: int | None = None
    field_of_view: int | None = None
    images_seen: int | None = None
    training: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.field_of_view is not None and self.field_of_view < 64:
            raise ValueError(f"field_of_view must be at least 64 pixels, got {self.field_of_view}")


def main(
    *,
    settings: str,
    seed: int,
    networks: int = 1,
    dataset: Path,
    strong: str,
    labels: Path,
    second: Path,
    second_strong: str,
    start: Path,
    out: Path,
) -> None:
    """Train on `strong` images with masks (a number, or `all`) and the others.

    `labels` is a store of label maps for the others, `second` a second data set; a file stands for none.
    `networks` share the budget.
    """
    params = load_params()
    names = ["budget", "training", f"train_em.{settings}"]
    where = names[2]
    sections = [section(params, name) for name in names]
    budget, chosen = bind(Budget, sections[0], names[0]), bind(Training, sections[2], where)
    training = changed_settings(sections[1], chosen.training, where)

    photos = Dataset(dataset)
    weak_labels = open_store(labels) if labels.is_dir() else None
    sources = [Source(photos, chosen.images, _number(strong), f"{where}.images", weak_labels)]
    if second.is_dir():
        sources.append(Source(Dataset(second), chosen.second, _number(second_strong), f"{where}.second"))
    classes = joined_classes([source.dataset for source in sources])
    images = budget.images(chosen.images_seen, networks)
    head, width = budget.decoder(chosen.head, chosen.width)
    if head != "largefov" and chosen.field_of_view is not None:
        raise InputError(f"{where}: field_of_view: the head {head} has none to set; head: largefov has one")
    boxes = chosen.loss.estep.needs_boxes
    tags_alone = not boxes and weak_labels is None and all(source.strong == 0 for source in sources)
    torch.manual_seed(seed)
    model, description = segmenter_from(
        start,
        head=head,
        width=width,
        n_classes=len(classes),
        field_of_view=chosen.field_of_view or (128 if tags_alone else 224),
        classes=classes,
    )
    augment = training.augment(budget, model.output_stride)
    samples = Mixture(compose(sources, batch=training.batch, augment=augment, boxes=boxes, seed=seed))
    samples.check_slices(world_size())
    fit(
        out,
        model,
        samples,
        partial(chosen.loss, classes=classes),
        saved_as={**description, "classes": classes},
        settings=training,
        images_seen=images,
        seed=seed,
        key=fingerprint(
            [*sections, seed, strong, second_strong, images],
            *(path for source in sources for path in source.dataset.supervision(masks=source.strong != 0, boxes=boxes)),
            *([labels] if weak_labels else []),
            start,
        ),
        photos=samples.photos,
    )


def _number(strong: str) -> int | None:
    """A number of images, None for all.

    Raises:
        InputError: neither a number nor `all`.
    """
    if strong == "all":
        return None
    if not strong.isdecimal():
        raise InputError(f"stages/rows.yaml: expected a number of images with masks or all, got {strong!r}")
    return int(strong)


if __name__ == "__main__":
    run(main, "train_em")
