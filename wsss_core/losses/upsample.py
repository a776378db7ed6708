"""From the network's grid to pixels, and from pixels to the grid."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import interpolate


def upsample(logits: Tensor, size: tuple[int, int]) -> Tensor:
    """Bilinear resize between a grid and its photo, corner on corner, so that no map is shifted.

    Args:
        logits: float, shape (B, C, h, w).
        size: the height and width wanted.

    Returns:
        Float, shape (B, C, *size), at least single precision; the input itself where it has that size and precision.

    Raises:
        ValueError: the logits are not four-dimensional.
    """
    if logits.ndim != 4:
        raise ValueError(f"expected logits of shape (B, C, h, w), got {tuple(logits.shape)}")
    if logits.dtype in (torch.float16, torch.bfloat16):
        logits = logits.float()  # sums over pixels pass the range of half precision
    if tuple(logits.shape[2:]) == tuple(size):
        return logits
    return interpolate(logits, size=tuple(size), mode="bilinear", align_corners=True)


def on_grid(maps: Tensor, scores: Tensor) -> Tensor:
    """What lies under each node of a grid whose outer nodes are on the photo's corners.

    Args:
        maps: (B, …, S, S) of any type.
        scores: (B, C, h, w); only the size counts.

    Returns:
        (B, …, h, w).

    Raises:
        ValueError: no whole number of pixels lies between two nodes.
    """
    sides, grid = tuple(maps.shape[-2:]), tuple(scores.shape[-2:])
    if any((side - 1) % max(n - 1, 1) for side, n in zip(sides, grid, strict=True)):
        raise ValueError(f"expected sides of k·{tuple(n - 1 for n in grid)} + 1 pixels, got {sides}")
    rows, columns = (max((side - 1) // max(n - 1, 1), 1) for side, n in zip(sides, grid, strict=True))
    return maps[..., ::rows, ::columns][..., : grid[0], : grid[1]]
