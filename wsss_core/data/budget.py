"""Section `budget` of `params.yaml`: what every network of a comparison shares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Head = Literal["fcn", "largefov", "aspp", "pyramid", "skip"]


@dataclass(frozen=True, kw_only=True)
class Budget:
    """One budget for all methods, so that their results can be compared.

    Attributes:
        size: long side of a photo at scale 1, in pixels.
        crop: side of the training square, rounded up to stride · k + 1; `size` where None.
        images_seen: training images that the segmentation networks of a method see, all of them together.
        head: decoder on top of the backbone.
        width: channels of the decoder; the head's own default where None.
    """

    size: int
    images_seen: int
    crop: int | None = None
    head: Head = "pyramid"
    width: int | None = None

    def __post_init__(self) -> None:
        if self.size < 32:
            raise ValueError(f"size must be at least 32 pixels, got {self.size}")
        if self.images_seen < 1:
            raise ValueError(f"images_seen must be at least 1, got {self.images_seen}")

    def images(self, own: int | None, networks: int) -> int:
        """What one of so many networks sees: its own number where its section names one, else an equal share of all."""
        return max(1, self.images_seen // networks) if own is None else own

    def decoder(self, head: Head | None, width: int | None) -> tuple[Head, int | None]:
        """A network's own head and width, else the budget's; a head of its own without a width has its own default."""
        return head or self.head, self.width if head is None and width is None else width


def crop_side(size: int, stride: int) -> int:
    """The smallest `stride·k + 1` that is not below `size`: a side on whose corners the grid's nodes lie."""
    return -(-(size - 1) // stride) * stride + 1
