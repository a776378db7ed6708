"""Which images of a data set are trained on with their masks, which without, and how many of each are in a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from wsss_core.data.dataset import HELD_OUT, Dataset
from wsss_core.data.samples import TrainingSamples
from wsss_core.data.sampling import Augment
from wsss_core.stage import InputError
from wsss_core.stores import Store, open_store


@dataclass(frozen=True, kw_only=True)
class Composition:
    """What a data set gives to a training.

    Attributes:
        weak: also train on the images whose masks are not used.
        weak_images: only on so many of them.
        max_labels: classes that an image may have to be trained on; null for all images.
        in_batch: images of this data set in every batch; the whole batch, or half of it where there are two data sets.
        strong_in_batch: those of them with masks; half of `in_batch` where there are both kinds.
        splits: all but val and test if left out.
    """

    weak: bool = True
    weak_images: int | None = None
    max_labels: int | None = None
    in_batch: int | None = None
    strong_in_batch: int | None = None
    splits: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.weak_images is not None and self.weak_images < 1:
            raise ValueError(f"weak_images must be at least 1, got {self.weak_images}; weak: false leaves them out")


@dataclass(frozen=True)
class Source:
    """A data set and how it is used.

    Attributes:
        composition: which images, and how many in a batch.
        strong: images whose masks are used, None for all that have one. Fewer are always among more of the same seed.
        weak_labels: label maps for the others, of which those without a map are left out; None for an E-step.
        where: section of `params.yaml`, for messages.
    """

    dataset: Dataset
    composition: Composition
    strong: int | None
    where: str
    weak_labels: Store | None = None


def joined_classes(datasets: Sequence[Dataset]) -> list[str]:
    """The classes of all data sets, background first and each once.

    Raises:
        InputError: a data set that has no class in common with the first but background.
    """
    first = datasets[0]
    for other in datasets[1:]:
        if not set(first.classes[1:]) & set(other.classes[1:]):
            raise InputError(
                f"{other.path}: no class in common with {first.path}: "
                f"{', '.join(other.classes[1:])} and {', '.join(first.classes[1:])}"
            )
    return list(dict.fromkeys(name for dataset in datasets for name in dataset.classes))


def compose(
    sources: Sequence[Source], *, batch: int, augment: Augment, boxes: bool, seed: int
) -> list[tuple[TrainingSamples, int]]:
    """The parts of a `Mixture` with `batch` samples in every batch: of each source images with masks, then without.

    Args:
        sources: one data set, or two.
        augment, seed: see `TrainingSamples`.
        boxes: samples have boxes; images without masks and without a box are left out.

    Raises:
        InputError: more masks asked for than there are, masks of val or test, no image left of a kind, classes without
            overlap, or numbers in a batch that cannot be met.
    """
    numbers = _numbers(sources, batch)
    classes = joined_classes([source.dataset for source in sources]) if len(sources) > 1 else None
    parts: list[tuple[TrainingSamples, int]] = []
    for source, in_batch in zip(sources, numbers, strict=True):
        strong, weak = _strong_and_weak(source, seed, boxes=boxes)
        with_masks = _with_masks(source, in_batch, strong=not strong.empty, weak=not weak.empty)
        masks = open_store(source.dataset.path / "masks") if with_masks else None
        kinds = ((strong, masks, with_masks), (weak, source.weak_labels, in_batch - with_masks))
        for rows, targets, count in kinds:
            if count:
                samples = TrainingSamples(
                    source.dataset,
                    targets,
                    rows=rows,
                    augment=augment,
                    seed=seed,
                    classes=classes,
                    boxes=boxes,
                    stream=len(parts),
                )
                parts.append((samples, count))
    return parts


def _numbers(sources: Sequence[Source], batch: int) -> list[int]:
    """Images of each source in a batch: what is asked for, and the rest in equal parts."""
    asked = [source.composition.in_batch for source in sources]
    rest, sharers = batch - sum(n for n in asked if n is not None), asked.count(None)
    shares = [rest // sharers + (place < rest % sharers) for place in range(sharers)] if sharers else []
    numbers = [shares.pop(0) if n is None else n for n in asked]
    if sum(numbers) != batch or min(numbers) < 1:
        wheres = " and ".join(source.where for source in sources)
        raise InputError(
            f"params.yaml: {wheres}: {' + '.join(map(str, numbers))} images in a batch of {batch}; "
            "mend in_batch or training.batch"
        )
    return numbers


def _strong_and_weak(source: Source, seed: int, *, boxes: bool) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The images to train on with their masks, and without."""
    dataset, composition = source.dataset, source.composition
    table = dataset.cue_table(composition.splits or dataset.training_splits)
    if composition.max_labels is not None:
        table = table[table["n_classes"] <= composition.max_labels].reset_index(drop=True)
        if table.empty:
            limit = f"{source.where}.max_labels, {composition.max_labels}"
            raise InputError(f"{dataset.path}: no image has so few classes; raise {limit}")
    with_mask = np.zeros(len(table), bool) if source.strong == 0 else _draw(source, table, seed)
    weak = table[~with_mask] if composition.weak else table[:0]
    if source.weak_labels is not None:
        weak = weak[weak["image_id"].isin(source.weak_labels.table["image_id"])]
    elif boxes:
        weak = weak[weak["image_id"].isin(dataset.boxes["image_id"])]
    if composition.weak and composition.weak_images is not None:
        if composition.weak_images > len(weak):
            asked = f"{source.where}.weak_images asks for {composition.weak_images} images without masks"
            raise InputError(f"params.yaml: {asked}; {len(weak)} are left in {dataset.path}")
        chosen = np.random.default_rng((seed, 3)).permutation(len(weak))[: composition.weak_images]
        weak = weak.iloc[np.sort(chosen)]
    if weak.empty and not with_mask.any() and not composition.weak:
        raise InputError(f"params.yaml: {source.where}: weak is false and no mask is used, so no image is left")
    if composition.weak and weak.empty:
        kind = "with a box" if boxes or source.weak_labels is not None else "without a mask"
        if not with_mask.any():
            raise InputError(f"{dataset.path}: no image {kind} to train on; check {source.where} and the annotations")
        raise InputError(
            f"{dataset.path}: {with_mask.sum()} images with masks leave no image {kind} for {source.where}; "
            "use fewer masks, or weak: false"
        )
    return table[with_mask].reset_index(drop=True), weak.reset_index(drop=True)


def _draw(source: Source, table: pd.DataFrame, seed: int) -> np.ndarray:
    """bool, one per row: which images' masks are used."""
    dataset, strong = source.dataset, source.strong
    held_out = [split for split in source.composition.splits or () if split in HELD_OUT]
    if held_out:
        raise InputError(
            f"params.yaml: {source.where}.splits: results are reported on {', '.join(held_out)}; "
            "train on masks of other splits"
        )
    masked = np.flatnonzero([image_id in dataset.masked_images for image_id in table["image_id"]])
    if strong is None and not len(masked):
        raise InputError(
            f"{dataset.path}: no image to train on has a mask; `wsss rows --main-only` leaves such runs out"
        )
    if strong is not None and strong > len(masked):
        raise InputError(f"{dataset.path}: {strong} images with masks asked for; {len(masked)} to train on have one")
    chosen = np.random.default_rng((seed, 2)).permutation(masked)[:strong]
    return np.isin(np.arange(len(table)), chosen)


def _with_masks(source: Source, in_batch: int, *, strong: bool, weak: bool) -> int:
    """Images with masks in every batch."""
    if not (strong and weak):
        return in_batch if strong else 0
    asked = source.composition.strong_in_batch
    with_masks = in_batch // 2 if asked is None else asked
    if not 0 < with_masks < in_batch:
        raise InputError(
            f"params.yaml: {source.where}: {with_masks} of {in_batch} images in a batch with masks; with both kinds "
            f"strong_in_batch must be at least 1 and less than {in_batch}"
        )
    return with_masks
