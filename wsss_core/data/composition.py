"""Which images of a data set are trained on with their masks, which without, and how many of each are in a batch."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from wsss_core.data.dataset import Dataset
from wsss_core.data.samples import TrainingSamples
from wsss_core.data.sampling import Augment
from wsss_core.stage import InputError
from wsss_core.stores import Store, open_store

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Composition:
    """What a data set gives to a training.

    Attributes:
        weak: also train on the images whose masks are not used.
        max_labels: classes that an image may have to be trained on; null for all images.
        in_batch: images of this data set in every batch; the batch, or half of it where there are two data sets.
        strong_in_batch: those of them with masks; half of `in_batch` where there are both kinds.
        splits: all but val and test if left out.
    """

    weak: bool = True
    max_labels: int | None = None
    in_batch: int | None = None
    strong_in_batch: int | None = None
    splits: tuple[str, ...] | None = None


def compose(
    composition: Composition,
    dataset: Dataset,
    *,
    strong: int | None,
    weak_labels: Store | None,
    in_batch: int,
    classes: Sequence[str],
    augment: Augment,
    boxes: bool,
    seed: int,
    where: str,
) -> list[tuple[TrainingSamples, int]]:
    """The parts of a `Mixture` that the data set gives: images with masks first.

    Args:
        strong: images whose masks are used, None for all that have one. Fewer are always among more of the same seed.
        weak_labels: label maps for the other images, of which those without a map are left out; None for an E-step.
        in_batch: images of the data set in every batch, where the composition does not say.
        classes, augment, boxes, seed: see `TrainingSamples`.
        where: section of `params.yaml`, for messages.

    Raises:
        InputError: more masks asked for than there are, no image left, or numbers in a batch that cannot be met.
    """
    in_batch = composition.in_batch or in_batch
    table = _images(composition, dataset, where)
    has_mask = _draw_strong(dataset, table, strong, seed) if strong != 0 else np.zeros(len(table), bool)
    weak = table[~has_mask] if composition.weak else table[:0]
    if weak_labels is not None:
        weak = weak[weak["image_id"].isin(weak_labels.table["image_id"])]
    if composition.weak and weak.empty:
        if not has_mask.any():
            raise InputError(f"{dataset.path}: no image to train on without a mask; check {where}.splits and the tags")
        log.warning("%s: no image is left without a mask; trained on those with masks only", dataset.path)
    with_masks = _in_batch(composition, in_batch, strong=bool(has_mask.any()), weak=not weak.empty, where=where)

    def samples(rows: pd.DataFrame, targets: Store | None, count: int) -> list[tuple[TrainingSamples, int]]:
        if not count:
            return []
        rows = rows.reset_index(drop=True)
        return [
            (
                TrainingSamples(dataset, targets, rows=rows, augment=augment, seed=seed, classes=classes, boxes=boxes),
                count,
            )
        ]

    masks = open_store(dataset.path / "masks") if has_mask.any() else None
    return [*samples(table[has_mask], masks, with_masks), *samples(weak, weak_labels, in_batch - with_masks)]


def _images(composition: Composition, dataset: Dataset, where: str) -> pd.DataFrame:
    table = dataset.cue_table(composition.splits or dataset.training_splits)
    if composition.max_labels is not None:
        table = table[table["n_classes"] <= composition.max_labels]
        if table.empty:
            raise InputError(
                f"{dataset.path}: no image has so few classes; raise {where}.max_labels, {composition.max_labels}"
            )
    return table


def _draw_strong(dataset: Dataset, table: pd.DataFrame, strong: int | None, seed: int) -> np.ndarray:
    """bool, one per row: which images' masks are used."""
    masked = np.flatnonzero([image_id in dataset.masked_images for image_id in table["image_id"]])
    if strong is None and not len(masked):
        raise InputError(f"{dataset.path}: no image to train on has a mask; ingest masks or set strong to 0")
    if strong is not None and not 0 <= strong <= len(masked):
        raise InputError(f"{dataset.path}: {strong} images with masks asked for; {len(masked)} to train on have one")
    chosen = np.random.default_rng((seed, 2)).permutation(masked)[:strong]
    return np.isin(np.arange(len(table)), chosen)


def _in_batch(composition: Composition, in_batch: int, *, strong: bool, weak: bool, where: str) -> int:
    """Images with masks in every batch."""
    asked = composition.strong_in_batch
    if not (strong and weak):
        return in_batch if strong else 0
    with_masks = in_batch // 2 if asked is None else asked
    if not 0 < with_masks < in_batch:
        raise InputError(
            f"params.yaml: {where}: {with_masks} of {in_batch} images in a batch with masks; "
            f"with both kinds of images strong_in_batch must be 1 to {in_batch - 1}"
        )
    return with_masks
