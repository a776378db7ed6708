"""Batches with fixed numbers of samples from several sets: with and without masks, of one data set or of two."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset as TorchDataset

from wsss_core.data.samples import LABELS, TrainingSamples
from wsss_core.stage import InputError


class Mixture(TorchDataset[dict[str, Tensor]]):
    """An endless stream whose every batch holds `count` samples of each part, spread evenly over the batch.

    A sample is its part's, with `labels`, int64 (S, S), all 255 where the part has none, and `labelled`, bool (),
    whether it has.

    Args:
        parts: samples of one data set each, and how many of them are in a batch, at least 1. All of them have the
            network's classes, and boxes or not alike.
    """

    def __init__(self, parts: Sequence[tuple[TrainingSamples, int]]) -> None:
        self.parts, self.counts = [part for part, _ in parts], [count for _, count in parts]
        # Place k of a part's n lies at (k + ½) / n of the batch: slices of a batch have about the same share of each.
        places = [((k + 0.5) / count, part, k) for part, count in enumerate(self.counts) for k in range(count)]
        self.places = [(part, k) for _, part, k in sorted(places)]

    @property
    def photos(self) -> int:
        """How many different photos there are; the parts share none."""
        return sum(len(part.image_ids) for part in self.parts)

    def check_slices(self, slices: int) -> None:
        """Refuse a batch that, cut into equal slices for several processes, leaves one without a kind of images.

        Raises:
            InputError: names the numbers.
        """
        labelled = [self.parts[part].kind == LABELS for part, _ in self.places]
        each = len(labelled) // slices
        kinds = [set(labelled[begin : begin + each]) for begin in range(0, slices * each, each)]
        if any(kind != set(labelled) for kind in kinds):
            raise InputError(
                f"{sum(labelled)} of {len(labelled)} images in a batch have labels, too few or too many for {slices} "
                "processes; mend strong_in_batch or training.batch"
            )

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        batch, place = divmod(index, len(self.places))
        part, k = self.places[place]
        sample = self.parts[part][batch * self.counts[part] + k]
        labelled = LABELS in sample
        if not labelled:
            sample[LABELS] = torch.from_numpy(np.full(sample["valid"].shape, 255, np.int64))
        return sample | {"labelled": torch.tensor(labelled)}
