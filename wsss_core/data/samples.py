"""An endless stream of training samples that is the same for any number of workers and after any interruption."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.utils.data import Dataset as TorchDataset

from wsss_core.data.boxes import class_planes
from wsss_core.data.dataset import Dataset
from wsss_core.data.sampling import Augment, cut
from wsss_core.stage import InputError
from wsss_core.stores import Store

LABELS, POSTERIOR, BOXES, SUPERPIXELS = "labels", "posterior", "boxes", "superpixels"


class TrainingSamples(TorchDataset[dict[str, Tensor]]):
    """Sample i of an endless stream: every epoch sees each image once, in an order and cut that only (seed, i) decide.

    Has no length; a sampler says which indices are wanted. Sample i is a dict of

    * `image`: float32 (3, S, S), RGB in 0..255, padding in the mean colour;
    * `tags`: float32 (c,), 1 for each class of the image, without background;
    * `valid`: bool (S, S), false on padding;
    * `labels`: int64 (S, S), 255 = ignore, also on padding (targets with an array `labels`);
    * `posterior`: float32 (c + 1, S, S) that sums to 1 over the classes, or 0 where nothing is stored and on padding
      (targets with an array `posterior`, whose planes are `[0] + class_ids` of the targets' own table);
    * `boxes`: bool (c + 1, S, S), true inside the boxes of a class (with `boxes`);
    * `superpixels`: int64 (S, S), the image's regions in the square as numbers 0, 1, …, −1 on padding (with
      `superpixels`);
    * `known`: bool (c + 1,), the classes that the data set tells apart (with `classes`);
    * `row`: int64, the image's row in the dataset.

    Args:
        dataset: where the photos are.
        targets: what to train on, for all images or some; an image that is not there is all ignore. None for tags only.
        rows: the images to use, with the columns `image_id`, `dataset_row`, `class_ids`.
        augment: how to cut.
        seed: of the order and the cuts.
        classes: the network's, background first, where they are more than the data set's; c and the class ids are
            then the network's. Not with posteriors.
        boxes: also give the boxes.
        superpixels: a store that holds those of all images.
        stream: number of the stream where several of one seed are mixed.

    Raises:
        InputError: no image to use, targets that hold none of them or neither labels nor posteriors, or a class that
            `classes` lacks.
    """

    def __init__(
        self,
        dataset: Dataset,
        targets: Store | None,
        *,
        rows: pd.DataFrame,
        augment: Augment,
        seed: int,
        classes: Sequence[str] | None = None,
        boxes: bool = False,
        superpixels: Store | None = None,
        stream: int = 0,
    ) -> None:
        if rows.empty:
            raise InputError(f"{dataset.path}: no image to train on; check the split and the tags")
        self.dataset, self.targets, self.augment, self.seed = dataset, targets, augment, seed
        self.image_ids = [str(image_id) for image_id in rows["image_id"]]
        self.dataset_rows = rows["dataset_row"].to_numpy(np.int64)
        self.own_classes, self.boxes, self.stream = classes is None, boxes, stream
        self.superpixels = superpixels
        if superpixels is not None:
            _check_superpixels(superpixels, rows)
        self.class_ids = _ids_among(dataset, classes)
        self.tags = np.zeros((len(rows), len(classes or dataset.classes) - 1), np.float32)
        for row, class_ids in enumerate(rows["class_ids"]):
            self.tags[row, self.class_ids[np.asarray(class_ids, np.int64)] - 1] = 1
        self.kind = None if targets is None else _kind_of(targets, self.image_ids)

    def __getstate__(self) -> dict[str, Any]:
        # Files that are open here stay here: a worker opens its own.
        targets = None if self.targets is None else Store(self.targets.path)
        superpixels = None if self.superpixels is None else Store(self.superpixels.path)
        return {**self.__dict__, "dataset": Dataset(self.dataset.path), "targets": targets, "superpixels": superpixels}

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        epoch, place = divmod(index, len(self.image_ids))
        i = int(_order(self.seed, self.stream, epoch, len(self.image_ids))[place])
        row = int(self.dataset_rows[i])
        stored, axis = self._target(self.image_ids[i])
        photo = self.dataset.photo(row)
        present = np.flatnonzero(self.tags[i]) + 1
        if self.boxes and len(present):
            stored[BOXES] = self._box_planes(self.image_ids[i], present, photo)
        if self.superpixels is not None:
            stored[SUPERPIXELS] = self.superpixels.read(SUPERPIXELS, self.superpixels.row_of(self.image_ids[i]))
        rng = np.random.default_rng((self.seed, 2 * self.stream + 1, index))
        try:
            image, cuts, valid = cut(photo, stored, augment=self.augment, mean_colour=self.dataset.mean_colour, rng=rng)
        except ValueError as error:  # a map of another size than its photo
            raise InputError(f"{(self.targets or self.dataset).path}: {self.image_ids[i]}: {error}") from None
        sample = {
            "image": torch.from_numpy(image),
            "tags": torch.from_numpy(self.tags[i].copy()),
            "valid": torch.from_numpy(valid),
            "row": torch.tensor(row),
        }
        if self.kind == LABELS:
            labels = cuts.get(LABELS, np.full(valid.shape, 255, np.uint8))
            sample[LABELS] = torch.from_numpy(self.class_ids[labels])
        elif self.kind == POSTERIOR:
            posterior = np.zeros((len(self.dataset.classes), *valid.shape), np.float32)
            if POSTERIOR in cuts:
                posterior[axis] = _normalised(cuts[POSTERIOR])
            sample[POSTERIOR] = torch.from_numpy(posterior)
        if self.boxes:
            inside = np.zeros((self.tags.shape[1] + 1, *valid.shape), bool)
            if BOXES in cuts:
                inside[present] = cuts[BOXES] >= 128
            sample[BOXES] = torch.from_numpy(inside)
        if self.superpixels is not None:
            regions = np.full(valid.shape, -1, np.int64)
            regions[valid] = np.unique(cuts[SUPERPIXELS][valid], return_inverse=True)[1]
            sample[SUPERPIXELS] = torch.from_numpy(regions)
        if not self.own_classes:
            sample["known"] = torch.from_numpy(np.isin(np.arange(self.tags.shape[1] + 1), self.class_ids))
        return sample

    def _box_planes(self, image_id: str, present: np.ndarray, photo: np.ndarray) -> np.ndarray:
        """uint8 (L, H, W), 255 inside the boxes of each present class."""
        boxes, class_ids = self.dataset.boxes_of(image_id)
        try:
            return class_planes(boxes, self.class_ids[class_ids], present, height=photo.shape[0], width=photo.shape[1])
        except ValueError as error:
            raise InputError(f"{self.dataset.path}: {image_id}: {error}") from None

    def _target(self, image_id: str) -> tuple[dict[str, np.ndarray], list[int]]:
        """The image's stored map by name, none if it has none, and the class ids of a posterior's planes."""
        if self.targets is None or self.kind is None or image_id not in self.targets:
            return {}, []
        row = self.targets.row_of(image_id)
        axis = [0, *self.targets.table["class_ids"].iloc[row]] if self.kind == POSTERIOR else []
        return {self.kind: self.targets.read(self.kind, row)}, axis


def _ids_among(dataset: Dataset, classes: Sequence[str] | None) -> np.ndarray:
    """The network's id of each of the data set's ids, int64 (256,); 255 stays 255."""
    ids = np.full(256, 255, np.int64)
    for own, name in enumerate(dataset.classes):
        if classes is not None and name not in classes:
            raise InputError(f"{dataset.path}: the network has no class {name!r}; it has {', '.join(classes)}")
        ids[own] = own if classes is None else list(classes).index(name)
    return ids


def _check_superpixels(superpixels: Store, rows: pd.DataFrame) -> None:
    sizes = ["height", "width"]
    both = rows[["image_id", *sizes]].merge(superpixels.table[["image_id", *sizes]], "left", "image_id")
    wrong = both[(both["height_x"] != both["height_y"]) | (both["width_x"] != both["width_y"])]
    for image in wrong.itertuples():
        found = f"of {image.height_y:g} × {image.width_y:g} pixels" if image.height_y > 0 else "missing"
        raise InputError(
            f"{superpixels.path}: image {image.image_id!r}: superpixels {found}, the photo has {image.height_x} × "
            f"{image.width_x}; run the stage `superpixels` again"
        )


def one_thread(_worker: int) -> None:
    """Keep OpenCV in a loader's worker to one thread: the workers are the parallelism."""
    cv2.setNumThreads(1)


def _kind_of(targets: Store, image_ids: list[str]) -> str:
    kinds = [kind for kind in (LABELS, POSTERIOR) if kind in targets.meaning["arrays"]]
    if len(kinds) != 1:
        held = ", ".join(targets.meaning["arrays"])
        raise InputError(f"{targets.path}: expected one array, {LABELS} or {POSTERIOR}, to train on; found {held}")
    if not any(image_id in targets for image_id in image_ids):
        raise InputError(f"{targets.path}: holds none of the {len(image_ids)} images to train on")
    return kinds[0]


@lru_cache(maxsize=8)  # the epoch that ends and the one that begins, of four streams
def _order(seed: int, stream: int, epoch: int, n: int) -> np.ndarray:
    return np.random.default_rng((seed, 2 * stream, epoch)).permutation(n)


def _normalised(stored: np.ndarray) -> np.ndarray:
    """uint8 (L, S, S) → float32 that sums to 1 over L, or 0 where all are 0."""
    total = stored.sum(0, dtype=np.float32)
    return stored / np.maximum(total, 1)
