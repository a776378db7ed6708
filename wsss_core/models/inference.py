"""Running a network over photos of any size: maps at each photo's true size, joined over scales and mirror images."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import partial, reduce
from typing import Literal, TypeVar

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

Join = Literal["max", "mean", "sum"]
Size = tuple[int, int]
OnGrid = tuple[Size, Tensor]  # the size at which a photo entered the network, and its maps (views, C, h, w)

T = TypeVar("T")

# Photos whose maps are kept on the network's grid at a time: enough to find equal sizes for full batches.
WINDOW = 64


def infer_maps(
    forward: Callable[[Tensor], Tensor],
    photos: Sequence[np.ndarray],
    *,
    size: int,
    stride: int,
    scales: Sequence[float] = (1.0,),
    mirror: bool = False,
    join: Join = "mean",
    device: torch.device,
    batch: int = 8,
    activation: Callable[[Tensor], Tensor] | None = None,
) -> Iterator[tuple[int, Tensor]]:
    """Maps of every photo, in the photos' order and at their true sizes.

    Args:
        forward: maps RGB in 0..255, float32 (B, 3, stride·k + 1, stride·n + 1), to (B, C, h, w), whose outer nodes
            lie on the photo's corners; in evaluation mode where it is a network.
        photos: RGB uint8 (H, W, 3) each.
        size: long side of a photo at scale 1, in pixels; sides are rounded to stride·k + 1.
        stride: output stride of the network.
        scales: factors on `size`.
        mirror: also run the mirror image at every scale.
        join: how the maps of scales and mirror images become one.
        device: where to run; the maps stay there.
        batch: photos of equal size that go through the network together.
        activation: applied to each map (1, C, H, W) at its true size, before joining.

    Yields:
        The photo's index and its maps, float32 (C, H, W).

    Raises:
        ValueError: sizes, scales or photos out of range.
    """
    if join not in ("max", "mean", "sum"):
        raise ValueError(f"join must be max, mean or sum, got {join!r}")
    if min(size, stride, batch) < 1 or not scales or min(scales) <= 0:
        raise ValueError(f"size, stride, batch and scales must be positive, got {size}, {stride}, {batch}, {scales}")
    sizes = partial(_network_sizes, size=size, stride=stride, scales=scales)
    views = partial(_views, forward, mirror=mirror, device=device)
    joined = partial(_joined, join=join, activation=activation)
    return _by_windows(photos, sizes, views, joined, batch)


def infer_grids(
    forward: Callable[[Tensor], Tensor],
    photos: Sequence[np.ndarray],
    *,
    size: int,
    stride: int,
    device: torch.device,
    batch: int = 8,
) -> Iterator[tuple[Size, Tensor]]:
    """Maps of every photo as the network gives them, in the photos' order.

    Arguments and errors as for `infer_maps`.

    Yields:
        Height and width at which the photo entered the network, and its maps, float32 (C, h, w), whose outer nodes
        lie on the corners of a photo of that size.
    """
    if min(size, stride, batch) < 1:
        raise ValueError(f"size, stride and batch must be positive, got {size}, {stride}, {batch}")
    sizes = partial(_network_sizes, size=size, stride=stride, scales=(1.0,))
    views = partial(_views, forward, mirror=False, device=device)
    for _, (shape, maps) in _by_windows(photos, sizes, views, lambda on_grid, _: on_grid[0], batch):
        yield shape, maps[0]


def network_size(height: int, width: int, *, size: float, stride: int) -> Size:
    """Height and width at which a photo enters the network: long side near `size`, both `stride·k + 1`, k ≥ 1."""
    factor = size / max(height, width)
    rows, columns = (max(1, round((side * factor - 1) / stride)) * stride + 1 for side in (height, width))
    return rows, columns


def _network_sizes(photo: np.ndarray, *, size: int, stride: int, scales: Sequence[float]) -> list[Size]:
    return [network_size(*photo.shape[:2], size=size * scale, stride=stride) for scale in scales]


def _by_windows(
    photos: Sequence[np.ndarray],
    sizes: Callable[[np.ndarray], list[Size]],
    views: Callable[[list[np.ndarray], Size], Tensor],
    joined: Callable[[list[OnGrid], Size], T],
    batch: int,
) -> Iterator[tuple[int, T]]:
    for begin in range(0, len(photos), WINDOW):
        window = [_checked(photos[index], index) for index in range(begin, min(begin + WINDOW, len(photos)))]
        of_size: dict[Size, list[int]] = defaultdict(list)
        for place, photo in enumerate(window):
            for shape in sizes(photo):
                of_size[shape].append(place)
        on_grid: dict[int, list[OnGrid]] = defaultdict(list)
        for shape, places in of_size.items():
            for first in range(0, len(places), batch):
                chunk = places[first : first + batch]
                for place, maps in zip(chunk, views([window[p] for p in chunk], shape), strict=True):
                    on_grid[place].append((shape, maps))
        for place, photo in enumerate(window):
            yield begin + place, joined(on_grid.pop(place), photo.shape[:2])


@torch.inference_mode()
def _views(
    forward: Callable[[Tensor], Tensor],
    photos: list[np.ndarray],
    shape: Size,
    *,
    mirror: bool,
    device: torch.device,
) -> Tensor:
    """Grid maps of the photos resized to `shape`, float32 (B, views, C, h, w): the photo, then its mirror image."""
    resized = np.stack([resize(photo, shape) for photo in photos])  # (B, H, W, 3)
    images = torch.from_numpy(resized).to(device).permute(0, 3, 1, 2).float()  # (B, 3, H, W), channels last
    maps = [forward(images).float()]
    if mirror:
        maps.append(forward(images.flip(3)).float().flip(3))
    return torch.stack(maps, 1)


@torch.inference_mode()
def _joined(
    on_grid: list[OnGrid], true_size: Size, *, join: Join, activation: Callable[[Tensor], Tensor] | None
) -> Tensor:
    """One photo's maps at its true size, float32 (C, H, W)."""
    views = [(shape, view) for shape, maps in on_grid for view in maps]
    full = (enlarge(view, shape, true_size) for shape, view in views)
    activated = (activation(maps) if activation else maps for maps in full)
    total = reduce(torch.maximum if join == "max" else torch.add, activated)[0]
    return total / len(views) if join == "mean" else total


def enlarge(view: Tensor, shape: Size, true_size: Size) -> Tensor:
    """Grid → resized photo, corner on corner; → true size as cv2 resized the photo, pixel area on pixel area."""
    pixels = interpolate(view[None], size=shape, mode="bilinear", align_corners=True)
    return interpolate(pixels, size=true_size, mode="bilinear", align_corners=False)


def resize(photo: np.ndarray, shape: Size) -> np.ndarray:
    """A photo (H, W, 3) or map (H, W) at the height and width at which its photo enters the network."""
    shrinks = shape[0] <= photo.shape[0] and shape[1] <= photo.shape[1]
    return cv2.resize(photo, shape[::-1], interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def _checked(photo: np.ndarray, index: int) -> np.ndarray:
    if photo.ndim != 3 or photo.shape[2] != 3 or photo.dtype != np.uint8:
        raise ValueError(f"photo {index}: expected RGB uint8 (H, W, 3), got {photo.dtype} {photo.shape}")
    return photo
