"""Bodies that look alike whatever the class: torso, legs, head, tail; only the part added to them tells the class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wsss_core.scenes.colour import lit, mix
from wsss_core.scenes.parts import BLACK, PARTS
from wsss_core.scenes.shapes import Array, Point, capsule, ellipse
from wsss_core.scenes.sprite import Layer, Painter

# Coats of real animals, RGB: chestnut, sand, grey, cream, charcoal, slate, olive, rose, white, umber.
COATS = np.array(
    [
        [0.55, 0.33, 0.18],
        [0.80, 0.65, 0.42],
        [0.55, 0.54, 0.52],
        [0.92, 0.86, 0.72],
        [0.20, 0.19, 0.20],
        [0.38, 0.47, 0.58],
        [0.50, 0.50, 0.28],
        [0.78, 0.56, 0.52],
        [0.94, 0.93, 0.92],
        [0.36, 0.24, 0.17],
    ],
    np.float32,
)
CONTRAST = 0.42  # least distance in RGB between an object and the background's mean


@dataclass(frozen=True)
class Body:
    """A body's measures, in units of half its torso's length; the torso's centre is the origin, the head is at +x."""

    height: float
    head: Point
    head_radius: float
    leg_end: float
    leg_width: float
    legs: tuple[float, ...]
    tail: Point
    ear: float
    coat: NDArray
    belly: NDArray
    blotch: tuple[float, ...]


def creature(rng: np.random.Generator, class_id: int, backdrop: NDArray) -> Painter:
    """A creature of class 1..8, in a coat that stands out from the mean background colour `backdrop` (3,)."""
    body = _body(rng, standing_out(rng, COATS, backdrop))
    order, make_part = PARTS[class_id - 1]
    paint_part = make_part(rng, body)

    def paint(x: Array, y: Array) -> list[Layer]:
        coat = _coat(x, y, body)
        layers = [_far_legs(x, y, body), _trunk(x, y, body, coat), *_head(x, y, body, coat)]
        layers.insert({"behind": 0, "on torso": 2, "on head": len(layers)}[order], paint_part(x, y, layers[1].mask))
        return layers

    return paint


def standing_out(rng: np.random.Generator, palette: NDArray, backdrop: NDArray) -> NDArray:
    """A varied colour of the palette (N, 3), at least CONTRAST away from `backdrop` where the palette allows it."""
    colours = np.clip(rng.permutation(palette) + rng.normal(0.0, 0.04, palette.shape), 0.05, 0.97)
    distance = np.linalg.norm(colours - backdrop, axis=1)
    return colours[int(np.argmax(np.minimum(distance, CONTRAST)))].astype(np.float32)


def _body(rng: np.random.Generator, coat: NDArray) -> Body:
    height = rng.uniform(0.52, 0.68)
    head_radius = rng.uniform(0.3, 0.36)
    legs = np.array([-0.72, -0.42, 0.42, 0.68]) + rng.uniform(-0.08, 0.08, 4)
    return Body(
        height=height,
        head=(rng.uniform(0.95, 1.15), rng.uniform(-0.75, -0.35)),
        head_radius=head_radius,
        leg_end=height + rng.uniform(0.2, 0.5),
        leg_width=rng.uniform(0.11, 0.15),
        legs=tuple(legs.tolist()),
        tail=(rng.uniform(-1.6, -1.25), rng.uniform(-0.7, 0.3)),
        ear=rng.uniform(-0.9, 0.2),
        coat=coat,
        belly=np.clip(coat * rng.uniform(1.0, 1.3), 0, 1),
        blotch=(*rng.uniform(2.0, 4.0, 2).tolist(), *rng.uniform(0, 6.3, 2).tolist(), rng.uniform(0.0, 0.5)),
    )


def _far_legs(x: Array, y: Array, body: Body) -> Layer:
    """The two legs of the far side, darker."""
    legs = [_leg(x, y, body, root) for root in body.legs[1:3]]
    return Layer(np.minimum(*legs) < 0, body.coat * 0.7)


def _trunk(x: Array, y: Array, body: Body, coat: Array) -> Layer:
    torso = ellipse(x, y, (0.0, 0.0), (1.0, body.height))
    neck = capsule(x, y, (0.6, -0.1), body.head, 0.4, 0.24)
    tail = capsule(x, y, (-0.85, -0.1), body.tail, 0.15, 0.06)
    legs = [_leg(x, y, body, root) for root in (body.legs[0], body.legs[3])]
    outline = np.minimum.reduce([torso, neck, tail, *legs])
    return Layer(outline < 0, coat)


def _coat(x: Array, y: Array, body: Body) -> Array:
    """Lighter below, with soft blotches."""
    colour = mix(body.coat, body.belly, y / body.height)
    wave_x, wave_y, shift_x, shift_y, strength = body.blotch
    blotches = np.sin(wave_x * x + shift_x + np.sin(wave_y * y)) * np.sin(wave_y * y + shift_y)
    return lit(colour, 1.0 - strength * np.clip(blotches, 0.0, 1.0))


def _leg(x: Array, y: Array, body: Body, root: float) -> Array:
    return capsule(x, y, (root, 0.2), (root * 1.05, body.leg_end), body.leg_width * 1.3, body.leg_width)


def _head(x: Array, y: Array, body: Body, coat: Array) -> list[Layer]:
    (hx, hy), r = body.head, body.head_radius
    skull = ellipse(x, y, body.head, (r, r * 0.9))
    snout = capsule(x, y, (hx + 0.4 * r, hy + 0.2 * r), (hx + 1.1 * r, hy + 0.35 * r), 0.5 * r, 0.36 * r)
    ear = ellipse(x, y, (hx + body.ear * r, hy - 0.95 * r), (0.22 * r, 0.45 * r), 0.3 * body.ear)
    eye = ellipse(x, y, (hx + 0.35 * r, hy - 0.2 * r), (0.17 * r, 0.17 * r))
    nose = ellipse(x, y, (hx + 1.35 * r, hy + 0.25 * r), (0.14 * r, 0.12 * r))
    face = np.minimum.reduce([skull, snout, ear]) < 0
    return [Layer(face, coat), Layer(face & (np.minimum(eye, nose) < 0), BLACK)]
