"""Cutting training samples: photo and maps moved together in one place, in an order that no worker can change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True)
class Augment:
    """How a training square is cut from a photo.

    Attributes:
        size: pixels of the long side that every photo is first scaled to.
        crop: side of the square; of the form stride · k + 1 for the network that will see it.
        scale: range of the random factor on `size`.
        mirror: flip half of the squares, by chance, left to right.
        brightness, contrast: strength of the colour jitter in [0, 1); the factors are uniform in 1 ± strength.
    """

    size: int
    crop: int
    scale: tuple[float, float] = (1.0, 1.0)
    mirror: bool = False
    brightness: float = 0.0
    contrast: float = 0.0

    def __post_init__(self) -> None:
        if self.size < 1 or self.crop < 1:
            raise ValueError(f"size and crop must be at least 1, got {self.size} and {self.crop}")
        if len(self.scale) != 2 or not 0 < self.scale[0] <= self.scale[1]:
            raise ValueError(f"scale must be [low, high] with 0 < low <= high, got {list(self.scale)}")
        if not (0 <= self.brightness < 1 and 0 <= self.contrast < 1):
            raise ValueError(f"brightness and contrast must lie in [0, 1), got {self.brightness} and {self.contrast}")


def cut(
    photo: np.ndarray,
    maps: Mapping[str, np.ndarray],
    *,
    augment: Augment,
    mean_colour: np.ndarray,
    rng: np.random.Generator,
) -> tuple[np.ndarray, dict[str, np.ndarray], np.ndarray]:
    """Cut one random square of side S = `augment.crop` out of a photo and its maps, by the same transform.

    The photo is scaled, a square is cropped from it at a random place (or it is put into the square at a random
    place, where it is smaller), and the square is mirrored.

    Args:
        photo: RGB uint8, shape (H, W, 3).
        maps: by name; a label map (H, W), uint8 or uint16, is resized to the nearest pixel and padded with its highest
            number, a soft map (L, H, W), uint8, is resized like the photo and padded with 0.
        mean_colour: RGB in 0..255, shape (3,); fills the photo's padding.
        rng: source of every random choice.

    Returns:
        The square, float32 (3, S, S) in 0..255; its maps, (S, S) or (L, S, S) of their dtypes; and bool (S, S), true
        on pixels of the photo and false on padding.

    Raises:
        ValueError: wrong shape or dtype.
    """
    if photo.ndim != 3 or photo.shape[2] != 3 or photo.dtype != np.uint8:
        raise ValueError(f"expected a uint8 photo (H, W, 3), got {photo.dtype} {photo.shape}")
    for name, map_ in maps.items():
        dtypes = (np.uint8, np.uint16) if map_.ndim == 2 else (np.uint8,)
        if map_.ndim not in (2, 3) or map_.shape[-2:] != photo.shape[:2] or map_.dtype not in dtypes:
            raise ValueError(
                f"{name}: expected uint8 of the photo's size {photo.shape[:2]} (or uint16 numbers), "
                f"got {map_.dtype} {map_.shape}"
            )
    side = augment.crop
    factor = augment.size / max(photo.shape[:2]) * rng.uniform(*augment.scale)
    height, width = (max(1, round(length * factor)) for length in photo.shape[:2])
    top, left = (int(rng.integers(min(0, n - side), max(0, n - side), endpoint=True)) for n in (height, width))
    mirrored = bool(augment.mirror and rng.random() < 0.5)
    soft = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR

    def square(map_: np.ndarray, fill: float | np.ndarray) -> np.ndarray:
        canvas = np.empty((*map_.shape[:-2], side, side), map_.dtype)
        canvas[...] = fill
        (from_y, to_y), (from_x, to_x) = _overlap(top, height, side), _overlap(left, width, side)
        canvas[..., to_y, to_x] = map_[..., from_y, from_x]
        return np.ascontiguousarray(canvas[..., ::-1]) if mirrored else canvas

    scaled = _jitter(cv2.resize(photo, (width, height), interpolation=soft), augment, rng)
    image = square(scaled.transpose(2, 0, 1), np.asarray(mean_colour, np.float32)[:, None, None])
    cuts: dict[str, np.ndarray] = {}
    for name, map_ in maps.items():
        if map_.ndim == 2:
            nearest = cv2.resize(map_, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
            cuts[name] = square(nearest, np.iinfo(map_.dtype).max)
        else:
            planes = [cv2.resize(plane, (width, height), interpolation=soft) for plane in map_]
            cuts[name] = square(np.stack(planes), 0)
    valid = square(np.ones((height, width), bool), False)
    return image, cuts, valid


def _overlap(begin: int, length: int, side: int) -> tuple[slice, slice]:
    """Where a window of `side` pixels at `begin` meets a line of `length`: in the line's and the window's pixels."""
    first, last = max(begin, 0), min(begin + side, length)
    return slice(first, last), slice(first - begin, last - begin)


def _jitter(photo: np.ndarray, augment: Augment, rng: np.random.Generator) -> np.ndarray:
    """uint8 (H, W, 3) → float32 in 0..255 with brightness and contrast changed at random."""
    image = photo.astype(np.float32)
    if augment.brightness == augment.contrast == 0:
        return image
    brightness = 1 + rng.uniform(-augment.brightness, augment.brightness)
    contrast = 1 + rng.uniform(-augment.contrast, augment.contrast)
    mean = image.mean()
    return np.clip(brightness * ((image - mean) * contrast + mean), 0, 255)
