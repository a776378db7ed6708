"""Placing objects on a background: who stands where, who hides whom, and the picture that comes of it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from wsss_core.scenes.background import cluttered, plain
from wsss_core.scenes.camera import photograph
from wsss_core.scenes.colour import lit, paint
from wsss_core.scenes.creatures import creature
from wsss_core.scenes.parts import CLASSES
from wsss_core.scenes.sprite import Sprite, render
from wsss_core.scenes.things import thing

OVERSAMPLING = 2
_ASPECTS = ((0.75, 1.0), (0.8, 1.0), (1.0, 0.875), (1.0, 1.0), (1.0, 0.75), (0.9, 1.0))
_AREAS = {1: (0.14, 0.4), 2: (0.12, 0.25), 3: (0.1, 0.17)}  # share of the image per object, by their number
_SEEN = 0.65  # least share of an object, and of its part, that objects in front leave visible
_TRIES = 15


@dataclass(frozen=True)
class Scene:
    """A picture and what is in it.

    Attributes:
        photo: RGB uint8, shape (H, W, 3).
        owner: 1 + the index of the object seen, 0 for none, uint8, shape (H * OVERSAMPLING, W * OVERSAMPLING).
        part: where an object's telling part is seen, bool, same shape as owner.
        class_ids: class of each object, 0 for things of no class.
    """

    photo: NDArray[np.uint8]
    owner: NDArray[np.uint8]
    part: NDArray[np.bool_]
    class_ids: tuple[int, ...]


def voc_scene(rng: np.random.Generator, size: int, class_id: int) -> Scene:
    """One to three creatures, the first of the given class 1..8, on a cluttered background; long side `size`."""
    number = int(rng.choice([1, 2, 3], p=[0.35, 0.4, 0.25]))
    others = rng.integers(1, len(CLASSES) + 1, number - 1)
    backdrop = cluttered(rng, *_frame(rng, size))
    return _compose(rng, backdrop, (class_id, *map(int, others)), _AREAS[number])


def easy_scene(rng: np.random.Generator, size: int, class_id: int) -> Scene:
    """One creature of the given class 1..8 in the middle of a plain background; long side `size`."""
    return _compose(rng, plain(rng, *_frame(rng, size)), (class_id,), (0.2, 0.4), centred=True)


def thing_scene(rng: np.random.Generator, size: int) -> Scene:
    """One to three things of no class, mostly on a cluttered background; long side `size`."""
    number = int(rng.choice([1, 2, 3], p=[0.5, 0.3, 0.2]))
    make_backdrop = plain if rng.random() < 0.15 else cluttered
    return _compose(rng, make_backdrop(rng, *_frame(rng, size)), (0,) * number, _AREAS[number])


def _frame(rng: np.random.Generator, size: int) -> tuple[int, int]:
    tall, wide = _ASPECTS[rng.integers(len(_ASPECTS))]
    return round(size * tall), round(size * wide)


def _compose(
    rng: np.random.Generator,
    backdrop: NDArray,
    class_ids: tuple[int, ...],
    areas: tuple[float, float],
    *,
    centred: bool = False,
) -> Scene:
    """Each object stands in front of those before it; one that would hide too much of them is left out."""
    height, width = backdrop.shape[0] * OVERSAMPLING, backdrop.shape[1] * OVERSAMPLING
    canvas = cv2.resize(backdrop, (width, height), interpolation=cv2.INTER_LINEAR)
    mean, light = backdrop.mean(axis=(0, 1)), _light(rng)
    owner, part = np.zeros((height, width), np.uint8), np.zeros((height, width), bool)
    sprites: list[Sprite] = []
    kept: list[int] = []
    for class_id in class_ids:
        sprite = render(
            creature(rng, class_id, mean) if class_id else thing(rng, mean),
            rng,
            light,
            area=rng.uniform(*areas) * height * width,
            limit=(int(height * 0.96), int(width * 0.96)),
            angle=rng.uniform(-0.35, 0.35) if class_id else rng.uniform(-np.pi, np.pi),  # creatures stand
            flip=bool(rng.random() < 0.5),
        )
        window = _find_window(rng, sprite, sprites, owner, part, centred=centred)
        if window is None:
            continue
        sprites.append(sprite)
        kept.append(class_id)
        canvas = _in_shadow(canvas, sprite, window, light)
        paint(canvas[window], sprite.rgb, sprite.mask)
        owner[window][sprite.mask] = len(kept)
        np.copyto(part[window], sprite.part, where=sprite.mask)
    return Scene(photograph(rng, canvas, OVERSAMPLING), owner, part, tuple(kept))


def _light(rng: np.random.Generator) -> NDArray:
    """Unit vector to a light above, to the left or right, on the viewer's side."""
    direction = np.array([rng.uniform(-0.7, 0.7), rng.uniform(-0.8, -0.3), 0.75], np.float32)
    return direction / np.linalg.norm(direction)


def _find_window(
    rng: np.random.Generator,
    sprite: Sprite,
    placed: list[Sprite],
    owner: NDArray[np.uint8],
    part: NDArray[np.bool_],
    *,
    centred: bool,
) -> tuple[slice, slice] | None:
    """Where in the frame the sprite may stand so that enough of everyone behind it is seen; None if nowhere found."""
    height, width = sprite.mask.shape
    spare = np.array(owner.shape) - sprite.mask.shape
    whole = np.array([[s.mask.sum(), s.part.sum()] for s in placed]).reshape(-1, 2)
    seen = np.stack([_count(owner, len(placed)), _count(owner[part], len(placed))], axis=1)
    for _ in range(_TRIES):
        top, left = np.round(spare * (rng.uniform(0.4, 0.6, 2) if centred else rng.uniform(0.0, 1.0, 2))).astype(int)
        window = (slice(top, top + height), slice(left, left + width))
        behind, behind_part = owner[window][sprite.mask], part[window][sprite.mask]
        hidden = np.stack([_count(behind, len(placed)), _count(behind[behind_part], len(placed))], axis=1)
        if (seen - hidden >= _SEEN * whole).all():
            return window
    return None


def _count(owner: NDArray[np.uint8], objects: int) -> NDArray[np.int64]:
    """Points of each object, shape (objects,)."""
    return np.bincount(owner.ravel(), minlength=objects + 1)[1:]


def _in_shadow(canvas: NDArray, sprite: Sprite, window: tuple[slice, slice], light: NDArray) -> NDArray:
    """The canvas with the object's shadow: softly around it, away from the light, and on the ground at its feet."""
    height, width = canvas.shape[:2]
    small = (width // 4, height // 4)
    covered = np.zeros((height, width), np.float32)
    covered[window] = sprite.mask
    shadow = cv2.resize(covered, small, interpolation=cv2.INTER_AREA)
    rows, columns = window
    reach = 0.12 * (rows.stop - rows.start) / 4
    move = np.array([[1, 0, -light[0] * reach], [0, 1, -light[1] * reach * 0.5]], np.float32)
    around = 0.3 * cv2.warpAffine(shadow, move, small)
    middle = ((columns.start + columns.stop) / 8 - light[0] * reach, rows.stop / 4)
    feet = (middle, ((columns.stop - columns.start) / 4 * 0.8, reach), 0.0)
    ground = np.zeros(small[::-1], np.float32)
    cv2.ellipse(ground, feet, 0.45, -1)
    shadow = cv2.GaussianBlur(np.maximum(around, ground), (0, 0), max(0.3 * reach, 0.8))
    return lit(canvas, 1.0 - cv2.resize(shadow, (width, height), interpolation=cv2.INTER_LINEAR))
