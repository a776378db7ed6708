"""Outlines as fields over a coordinate grid: negative inside, zero on the outline, about the distance outside."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray  # float32 throughout: coordinates, fields
Point = tuple[float, float]


def ellipse(x: Array, y: Array, centre: Point, radii: Point, angle: float = 0.0) -> Array:
    """Ellipse turned by `angle` (radians), shape of x."""
    u, v = turned(x, y, centre, angle)
    return (_length(u / radii[0], v / radii[1]) - 1.0) * min(radii)


def capsule(x: Array, y: Array, start: Point, end: Point, radius_start: float, radius_end: float) -> Array:
    """Rounded bar from start to end whose radius changes evenly between them, shape of x."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    along = np.clip(((x - start[0]) * dx + (y - start[1]) * dy) / max(dx * dx + dy * dy, 1e-9), 0.0, 1.0)
    distance = _length(x - start[0] - along * dx, y - start[1] - along * dy)
    return distance - (radius_start + (radius_end - radius_start) * along)


def polygon(x: Array, y: Array, sides: int, radius: float, dent: float = 0.0) -> Array:
    """Regular polygon about the origin; `dent` in (0, 1) draws the middle of each side in, which gives stars."""
    r, theta = polar(x, y, (0.0, 0.0))
    half = np.pi / sides
    offset = np.abs(np.mod(theta, 2 * half) - half)  # 0 in the middle of a side, `half` at a corner
    flat = np.cos(half) / np.cos(offset)
    return r - radius * (flat - dent * (1.0 - offset / half) * flat)


def superellipse(x: Array, y: Array, radii: Point, power: float) -> Array:
    """|x / a| ** p + |y / b| ** p = 1: an ellipse at power 2, nearly a box at 6."""
    reach = (np.abs(x / radii[0]) ** power + np.abs(y / radii[1]) ** power) ** (1.0 / power)
    return (reach - 1.0) * min(radii)


def polar(x: Array, y: Array, centre: Point) -> tuple[Array, Array]:
    """Distance from the centre and angle in (-pi, pi]."""
    return _length(x - centre[0], y - centre[1]), np.arctan2(y - centre[1], x - centre[0])


def turned(x: Array, y: Array, centre: Point, angle: float) -> tuple[Array, Array]:
    """Coordinates in a frame at `centre` turned by `angle` (radians)."""
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    return (x - centre[0]) * cos + (y - centre[1]) * sin, -(x - centre[0]) * sin + (y - centre[1]) * cos


def _length(x: Array, y: Array) -> Array:
    return np.sqrt(x * x + y * y)  # several times as fast as np.hypot, which guards against overflow
