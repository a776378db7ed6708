"""Things of no class for the saliency pairs: stars, boxes, rings, blobs, jugs, stools; none shaped like a creature."""

from __future__ import annotations

import colorsys
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from wsss_core.scenes.colour import mix
from wsss_core.scenes.creatures import standing_out
from wsss_core.scenes.shapes import Array, capsule, ellipse, polar, polygon, superellipse, turned
from wsss_core.scenes.sprite import Layer, Painter

Outline = Callable[[Array, Array], list[Array]]  # fields of the layers, back to front
Pattern = Callable[[Array, Array], Array]  # how much of the second colour, clipped to [0, 1] when mixed


def thing(rng: np.random.Generator, backdrop: NDArray) -> Painter:
    """A thing of one or two colours that stand out from the mean background colour `backdrop` (3,)."""
    outline = (_polygon, _box, _ring, _blob, _jug, _stool)[rng.integers(6)](rng)
    pattern = (_plain, _check, _halves, _marble, _patch)[rng.integers(5)](rng)
    palette = np.array([colorsys.hsv_to_rgb(*rng.uniform((0, 0.05, 0.15), (1, 0.95, 1.0))) for _ in range(12)])
    base, second = standing_out(rng, palette, backdrop), standing_out(rng, palette, backdrop)
    if rng.random() < 0.4:
        second = base * rng.uniform(0.5, 0.8)

    def paint(x: Array, y: Array) -> list[Layer]:
        colour = mix(base, second, pattern(x, y))
        return [Layer(field < 0, colour) for field in outline(x, y)]

    return paint


def _polygon(rng: np.random.Generator) -> Outline:
    sides, dent, squash = int(rng.integers(3, 9)), max(0.0, rng.uniform(-0.3, 0.5)), rng.uniform(0.6, 1.0)
    return lambda x, y: [polygon(x, y / squash, sides, 1.4, dent)]


def _box(rng: np.random.Generator) -> Outline:
    power, tall = rng.uniform(2.5, 8.0), rng.uniform(0.4, 1.0)
    lid = rng.uniform(0.0, 0.4) * tall
    return lambda x, y: [
        superellipse(x, y, (1.0, tall), power),
        superellipse(x, y + tall - lid, (1.08, 0.05 + lid / 2), power),
    ]


def _ring(rng: np.random.Generator) -> Outline:
    width, squash = rng.uniform(0.22, 0.45), rng.uniform(0.6, 1.0)
    return lambda x, y: [np.abs(polar(x, y / squash, (0.0, 0.0))[0] - 1.0) - width]


def _blob(rng: np.random.Generator) -> Outline:
    strength, phase = rng.uniform(0.0, 0.16, 4).tolist(), rng.uniform(0, 2 * np.pi, 4).tolist()

    def field(x: Array, y: Array) -> list[Array]:
        r, theta = polar(x, y, (0.0, 0.0))
        return [r - 1.0 - sum(strength[k] * np.cos((k + 2) * theta + phase[k]) for k in range(4))]

    return field


def _jug(rng: np.random.Generator) -> Outline:
    belly, tall, handle = rng.uniform(0.45, 0.75), rng.uniform(0.8, 1.2), rng.uniform(0.3, 0.45)
    neck = rng.uniform(0.15, 0.4)

    def field(x: Array, y: Array) -> list[Array]:
        grip = np.abs(ellipse(x, y, (belly, -0.1), (handle, 0.5))) - 0.09
        body = ellipse(x, y, (0.0, 0.2), (belly, 0.8 * tall))
        throat = superellipse(x, y + 0.8 * tall, (neck, 0.45), 4.0)
        return [grip, np.minimum(body, throat)]

    return field


def _stool(rng: np.random.Generator) -> Outline:
    """A seat on spread legs; turned at random it is also a brush, a key, a bundle."""
    number, spread, long = int(rng.integers(2, 6)), rng.uniform(0.6, 1.2), rng.uniform(0.9, 1.6)
    width, tall, power = rng.uniform(0.07, 0.16), rng.uniform(0.2, 0.7), rng.uniform(2.0, 6.0)

    def field(x: Array, y: Array) -> list[Array]:
        feet = np.linspace(-spread, spread, number).tolist()
        legs = [capsule(x, y, (0.7 * foot, 0.0), (foot, long), width * 1.2, width) for foot in feet]
        return [np.minimum.reduce(legs), superellipse(x, y, (1.0, tall), power)]

    return field


def _plain(rng: np.random.Generator) -> Pattern:
    tilt = rng.uniform(-0.3, 0.3)
    return lambda x, y: tilt * x + 0.2


def _check(rng: np.random.Generator) -> Pattern:
    step, angle = rng.uniform(4.0, 8.0), rng.uniform(0, np.pi)

    def weight(x: Array, y: Array) -> Array:
        u, v = turned(x, y, (0.0, 0.0), angle)
        return 0.5 + 4.0 * np.sin(step * u) * np.sin(step * v)

    return weight


def _halves(rng: np.random.Generator) -> Pattern:
    angle, shift = rng.uniform(0, 2 * np.pi), rng.uniform(-0.4, 0.4)
    return lambda x, y: 20.0 * (turned(x, y, (0.0, 0.0), angle)[0] + shift)


def _marble(rng: np.random.Generator) -> Pattern:
    wave, phase = rng.uniform(1.5, 4.0, 4).tolist(), rng.uniform(0, 2 * np.pi, 2).tolist()
    return lambda x, y: (
        0.5
        + 0.8
        * np.sin(wave[0] * x + 1.5 * np.sin(wave[1] * y + phase[0]))
        * np.sin(wave[2] * y + wave[3] * x + phase[1])
    )


def _patch(rng: np.random.Generator) -> Pattern:
    middle, radii = tuple(rng.uniform(-0.7, 0.7, 2).tolist()), tuple(rng.uniform(0.25, 0.6, 2).tolist())
    return lambda x, y: -20.0 * ellipse(x, y, middle, radii)
