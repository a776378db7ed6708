"""What a network learns pixel affinities from: pairs of nearby pixels with labels."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from wsss_core.losses.soft_targets import IGNORE
from wsss_core.losses.upsample import on_grid

SMALLEST = 1e-5


@dataclass(frozen=True, kw_only=True)
class PixelPairLoss:
    """Cross-entropy of a = exp(−mean |f_i − f_j|), 1 for pairs of one label, 0 for others (Ahn & Kwak 2018, eqs. 5–7).

    Attributes:
        radius: pairs less than this far apart count, in nodes.
    """

    radius: float = 5.0

    def __post_init__(self) -> None:
        if not self.radius > 1:
            raise ValueError(f"radius must be greater than 1, got {self.radius}")

    def __call__(self, output: Tensor, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """`background` and `foreground`, means over pairs of one label, and `different`, twice that over the others.

        Args:
            output: features, float (B, D, h, w), nodes on the photo's corners.
            batch: `labels`, int64 (B, S, S), 255 = ignore.
        """
        labels = on_grid(batch["labels"], output)
        sums = {name: output.new_zeros(()) for name in ("background", "foreground", "different")}
        counts = dict.fromkeys(sums, output.new_zeros(()))
        for one, other in _neighbours(self.radius, output.shape[2], output.shape[3]):
            distance = (output[:, :, *one] - output[:, :, *other]).abs().mean(1)
            a, b = labels[:, *one], labels[:, *other]
            known, same = (a != IGNORE) & (b != IGNORE), a == b
            apart = -torch.log((-torch.expm1(-distance)).clamp(min=SMALLEST))
            for name, pairs, cost in (
                ("background", known & same & (a == 0), distance),
                ("foreground", known & same & (a > 0), distance),
                ("different", known & ~same, 2 * apart),
            ):
                sums[name] = sums[name] + (cost * pairs).sum()
                counts[name] = counts[name] + pairs.sum()
        return {name: sums[name] / counts[name].clamp(min=1) for name in sums}


def _neighbours(radius: float, height: int, width: int) -> Iterator[tuple[tuple[slice, slice], tuple[slice, slice]]]:
    """Windows of a grid that lie over each other shifted by every offset below the radius, each pair once."""
    reach = math.ceil(radius) - 1
    for down in range(min(reach, height - 1) + 1):
        for across in range(-min(reach, width - 1), min(reach, width - 1) + 1):
            if (down, across) > (0, 0) and down**2 + across**2 < radius**2:
                left, right = max(0, -across), width - max(0, across)
                here = slice(0, height - down), slice(left, right)
                yield here, (slice(down, height), slice(left + across, right + across))
