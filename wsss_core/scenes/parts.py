"""The eight classes: each is one telling part, a beak, a shell, a mane, on a body that every class shares."""

from __future__ import annotations

import colorsys
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from wsss_core.scenes.colour import mix
from wsss_core.scenes.shapes import Array, capsule, ellipse, polar, turned
from wsss_core.scenes.sprite import Layer, Mask

if TYPE_CHECKING:
    from wsss_core.scenes.creatures import Body

PartPainter = Callable[[Array, Array, Mask], Layer]  # x, y and the trunk's mask
Order = Literal["behind", "on torso", "on head"]
BLACK = np.array([0.07, 0.06, 0.08], np.float32)
WHITE = np.array([0.95, 0.95, 0.92], np.float32)


def hue(rng: np.random.Generator, centre: float, saturation: float, value: float) -> NDArray:
    """RGB (3,) of a colour near the given hue, saturation and value, all in [0, 1]."""
    h = (centre + rng.normal(0.0, 0.012)) % 1.0
    s, v = np.clip([saturation + rng.normal(0.0, 0.04), value + rng.normal(0.0, 0.05)], 0.05, 1.0)
    return np.array(colorsys.hsv_to_rgb(h, float(s), float(v)), np.float32)


def butterfly(rng: np.random.Generator, body: Body) -> PartPainter:
    """Two violet wings with a dark rim and pale dots."""
    wing, spread = hue(rng, 0.76, 0.75, 0.8), rng.uniform(0.3, 0.5)
    base = -0.75 * body.height

    def paint(x: Array, y: Array, trunk: Mask) -> Layer:
        front = ellipse(x, y, (0.24, base - 0.3), (0.27, 0.52), spread)
        rear = ellipse(x, y, (-0.36, base - 0.22), (0.26, 0.46), -spread)
        outline = np.minimum(front, rear)
        colour = mix(wing, BLACK, (outline + 0.08) * 40.0)
        r, theta = polar(x, y, (-0.06, base - 0.2))
        dots = np.hypot(np.mod(theta, 0.5) - 0.25, (r - 0.45) / 0.45) < 0.14
        return Layer(outline < 0, mix(colour, WHITE, dots), is_part=True)

    return paint


def ladybird(rng: np.random.Generator, body: Body) -> PartPainter:
    """A red dome with black dots on the back."""
    red = hue(rng, 0.0, 0.9, 0.85)
    dots = [(-0.38, 0.02), (-0.12, -0.2), (-0.08, 0.14), (0.2, -0.12), (0.36, 0.1), (0.16, 0.22)]
    middle = (rng.uniform(-0.25, 0.0), -0.75 * body.height)

    def paint(x: Array, y: Array, trunk: Mask) -> Layer:
        dome = ellipse(x, y, middle, (0.62, 0.38))
        nearest = np.minimum.reduce([np.hypot(x - middle[0] - dx, y - middle[1] - dy) for dx, dy in dots])
        return Layer(dome < 0, mix(BLACK, red, (nearest - 0.085) * 40.0), is_part=True)

    return paint


def lion(rng: np.random.Generator, body: Body) -> PartPainter:
    """A shaggy orange mane around the head."""
    mane, tips = hue(rng, 0.075, 0.95, 0.95), int(rng.integers(11, 16))

    def paint(x: Array, y: Array, trunk: Mask) -> Layer:
        r, theta = polar(x, y, body.head)
        outline = r - (body.head_radius + 0.25) * (0.9 + 0.12 * np.abs(np.sin(tips * theta / 2)))
        strands = 0.5 + 0.5 * np.sin(tips * 2 * theta)
        return Layer(outline < 0, mix(mane, mane * 0.45, strands * 0.8), is_part=True)

    return paint


def peacock(rng: np.random.Generator, body: Body) -> PartPainter:
    """A fan of teal feathers with eye spots behind the tail."""
    teal, blue, gold = hue(rng, 0.47, 0.85, 0.65), hue(rng, 0.6, 0.95, 0.75), hue(rng, 0.13, 0.8, 0.9)
    lean, size = rng.uniform(-2.55, -2.2), rng.uniform(1.15, 1.3)

    def paint(x: Array, y: Array, trunk: Mask) -> Layer:
        r, theta = polar(x, y, (-0.55, 0.0))
        away = np.mod(theta - lean + np.pi, 2 * np.pi) - np.pi
        feather = np.mod(away, 0.34) - 0.17
        outline = np.maximum(r - size * (0.92 + 0.08 * np.cos(feather * np.pi / 0.17)), (np.abs(away) - 0.85) * r)
        colour = mix(teal * 0.6, teal, r / size)
        spot = np.hypot(feather * r, r - 0.78 * size)
        colour = mix(mix(colour, gold, (0.13 - spot) * 40.0), blue, (0.08 - spot) * 40.0)
        return Layer(outline < 0, colour, is_part=True)

    return paint


def snail(rng: np.random.Generator, body: Body) -> PartPainter:
    """A pink spiral shell on the back."""
    light, dark = hue(rng, 0.93, 0.35, 0.97), hue(rng, 0.93, 0.75, 0.5)
    middle, radius = (rng.uniform(-0.35, -0.05), -0.85 * body.height), rng.uniform(0.46, 0.52)
    start = rng.uniform(0, 2 * np.pi)

    def paint(x: Array, y: Array, trunk: Mask) -> Layer:
        r, theta = polar(x, y, middle)
        spiral = np.sin(theta + start - 2 * np.pi * r / 0.2)
        return Layer(r < radius, mix(light, dark, 0.5 + 1.2 * spiral), is_part=True)

    return paint


def toucan(rng: np.random.Generator, body: Body) -> PartPainter:
    """A huge beak from orange to yellow with a black tip."""
    orange, yellow = hue(rng, 0.05, 0.95, 0.98), hue(rng, 0.14, 0.9, 0.98)
    (hx, hy), r = body.head, body.head_radius
    drop = rng.uniform(0.0, 0.3)

    def paint(x: Array, y: Array, trunk: Mask) -> Layer:
        root, tip = (hx + 0.9 * r, hy), (hx + 0.9 * r + 0.95, hy + drop)
        outline = capsule(x, y, root, tip, 0.33, 0.13)
        along, across = turned(x, y, root, float(np.arctan2(drop, 0.95)))
        colour = mix(orange, yellow, (along + 0.1) / 0.6)
        dark = (along > 0.84) | (along < -0.2) | (np.abs(across - 0.06) < 0.02)
        return Layer(outline < 0, mix(colour, BLACK, dark), is_part=True)

    return paint


def turtle(rng: np.random.Generator, body: Body) -> PartPainter:
    """A green shell of six-sided plates on the back."""
    plate, seam = hue(rng, 0.33, 0.75, 0.6), hue(rng, 0.2, 0.45, 0.9)
    middle = (rng.uniform(-0.25, 0.0), -0.75 * body.height)

    def paint(x: Array, y: Array, trunk: Mask) -> Layer:
        dome = ellipse(x, y, middle, (0.62, 0.38))
        u, v = 18.0 * (x - middle[0]), 18.0 * (y - middle[1])
        plates = np.cos(u) + np.cos(u / 2 + 0.866 * v) + np.cos(u / 2 - 0.866 * v)
        return Layer(dome < 0, mix(seam, plate, (plates + 1.0) * 1.6), is_part=True)

    return paint


def zebra(rng: np.random.Generator, body: Body) -> PartPainter:
    """A saddle of black and white stripes around the torso."""
    middle, wave, phase = rng.uniform(-0.3, 0.1), rng.uniform(1.5, 3.0), rng.uniform(0, 6.3)

    def paint(x: Array, y: Array, trunk: Mask) -> Layer:
        torso = ellipse(x, y, (0.0, 0.0), (1.0, body.height))
        saddle = np.maximum(torso, np.abs(x - middle + 0.1 * y) - 0.34)
        stripes = np.sin(2 * np.pi * (x + 0.06 * np.sin(wave * 2 * y + phase)) / 0.23)
        return Layer((saddle < 0) & trunk, mix(BLACK, WHITE, 0.5 + 2.5 * stripes), is_part=True)

    return paint


PARTS: list[tuple[Order, Callable[[np.random.Generator, Body], PartPainter]]] = [
    ("on torso", butterfly),
    ("on torso", ladybird),
    ("on torso", lion),
    ("behind", peacock),
    ("on torso", snail),
    ("on head", toucan),
    ("on torso", turtle),
    ("on torso", zebra),
]
CLASSES = [make.__name__ for _, make in PARTS]
