"""One drawn object: layers of colour on a coordinate grid, rounded by shading, cut to its outline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from wsss_core.scenes.colour import lit, paint
from wsss_core.scenes.noise import power_noise
from wsss_core.scenes.shapes import Array, turned

Mask = NDArray[np.bool_]
_REACH = 3.2  # no painter draws farther from its origin than this
_COARSE = np.linspace(-_REACH, _REACH, 65, dtype=np.float32)
_CELL = 2 * _REACH / 64


@dataclass(frozen=True)
class Layer:
    """What one layer covers, bool (H, W), its RGB in [0, 1], (3,) or (H, W, 3), and whether it tells the class."""

    mask: Mask
    colour: NDArray
    is_part: bool = False


Painter = Callable[[Array, Array], list[Layer]]  # from x and y of each point to layers, back to front; y points down


@dataclass(frozen=True)
class Sprite:
    """A finished object: RGB in [0, 1] (H, W, 3), its silhouette and its visible telling part, bool (H, W)."""

    rgb: NDArray
    mask: Mask
    part: Mask


def render(
    painter: Painter,
    rng: np.random.Generator,
    light: NDArray,
    *,
    area: float,
    limit: tuple[int, int],
    angle: float,
    flip: bool,
) -> Sprite:
    """Draw an object so that it covers `area` pixels, less where it would not fit into `limit`.

    Args:
        light: unit vector towards the light (x right, y down, z towards the viewer).
        area: pixels wanted.
        limit: largest height and width.
        angle: turn in radians.
        flip: mirror left and right.
    """
    covered = silhouette(painter(*_grid(_COARSE, _COARSE, angle, flip)))
    rows, columns = np.flatnonzero(covered.any(axis=1)), np.flatnonzero(covered.any(axis=0))
    span_y, span_x = (np.ptp(rows) + 3) * _CELL, (np.ptp(columns) + 3) * _CELL
    scale = min(float(np.sqrt(area / covered.sum())) / _CELL, limit[0] / span_y, limit[1] / span_x)
    top, left = (rows[0] - 1) * _CELL - _REACH, (columns[0] - 1) * _CELL - _REACH
    y = (top + (np.arange(int(span_y * scale)) + 0.5) / scale).astype(np.float32)
    x = (left + (np.arange(int(span_x * scale)) + 0.5) / scale).astype(np.float32)
    return _flatten(painter(*_grid(x, y, angle, flip)), rng, light)


def silhouette(layers: list[Layer]) -> Mask:
    """Everything that any layer covers."""
    return np.logical_or.reduce([layer.mask for layer in layers])


def _grid(columns: Array, rows: Array, angle: float, flip: bool) -> tuple[Array, Array]:
    x, y = np.meshgrid(-columns if flip else columns, rows)
    return turned(x, y, (0.0, 0.0), angle)


def _flatten(layers: list[Layer], rng: np.random.Generator, light: NDArray) -> Sprite:
    height, width = layers[0].mask.shape
    rgb = np.zeros((height, width, 3), np.float32)
    part = np.zeros((height, width), bool)
    for layer in layers:
        box = _bounds(layer.mask)
        cut = layer.mask[box]
        colour = layer.colour if layer.colour.ndim == 1 else layer.colour[box]
        paint(rgb[box], lit(colour, _shade(cut, light)), cut)
        np.copyto(part[box], layer.is_part, where=cut)
    grain = cv2.resize(power_noise(rng, height // 2 + 1, width // 2 + 1, exponent=0.8), (width, height))
    rgb = np.clip(lit(rgb, 1.0 + rng.uniform(0.03, 0.1) * grain), 0.0, 1.0)
    mask = silhouette(layers)
    tight = _bounds(mask)
    return Sprite(rgb[tight], mask[tight], part[tight])


def _bounds(mask: Mask) -> tuple[slice, slice]:
    """Rows and columns of the smallest box around a mask, empty for an empty mask."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return slice(0, 0), slice(0, 0)
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _shade(mask: Mask, light: NDArray) -> Array:
    """Brightness in about 0.35..1.2 of a body puffed up from its outline: ambient, Lambert and a small highlight."""
    padded = np.pad(mask.astype(np.uint8), 1)  # the distance runs to the outline, not past the picture's edge
    depth = cv2.distanceTransform(padded, cv2.DIST_L2, 5)
    radius = max(float(depth.max()), 1.0)
    share = np.minimum(depth / radius, 1.0)
    height = radius * np.sqrt(share * (2.0 - share))
    height = cv2.GaussianBlur(height, (0, 0), max(0.12 * radius, 0.8))  # hides the ridge along the middle
    slope_x = cv2.Sobel(height, cv2.CV_32F, 1, 0, scale=0.125)
    slope_y = cv2.Sobel(height, cv2.CV_32F, 0, 1, scale=0.125)
    facing = (light[2] - slope_x * light[0] - slope_y * light[1]) / np.sqrt(1.0 + slope_x**2 + slope_y**2)
    facing = np.clip(facing, 0.0, 1.0)
    return (0.4 + 0.65 * facing + 0.18 * facing**12)[1:-1, 1:-1]
