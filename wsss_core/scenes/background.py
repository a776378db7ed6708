"""Backgrounds: fields, rooms, walls, foliage and shelves with 1/f texture, muted so that objects stand out."""

from __future__ import annotations

import colorsys

import cv2
import numpy as np
from numpy.typing import NDArray

from wsss_core.scenes.colour import lit, mix
from wsss_core.scenes.noise import power_noise

Photo = NDArray  # RGB float32 (H, W, 3), in [0, 1] once returned


def cluttered(rng: np.random.Generator, height: int, width: int) -> Photo:
    """A textured background with small dull distractors, RGB in [0, 1], shape (height, width, 3)."""
    style = [_field, _room, _foliage, _shelf, _bricks][rng.integers(5)]
    photo = style(rng, height, width)
    for _ in range(rng.integers(4, 14)):
        _add_distractor(rng, photo)
    focus = rng.uniform(0.5, 1.8)
    return np.clip(cv2.GaussianBlur(photo, (0, 0), focus), 0.0, 1.0)


def plain(rng: np.random.Generator, height: int, width: int) -> Photo:
    """A studio-like background: two close tones, hardly any texture, RGB in [0, 1], shape (height, width, 3)."""
    tone = _muted(rng)
    ramp = np.linspace(-1.0, 1.0, height, dtype=np.float32)[:, None] * rng.uniform(0.0, 0.15)
    texture = rng.uniform(0.01, 0.04) * power_noise(rng, height, width, exponent=1.3)
    return np.clip(lit(tone, 1.0 + ramp + texture), 0.0, 1.0)


def _muted(rng: np.random.Generator, hue: tuple[float, float] = (0.0, 1.0)) -> NDArray:
    return np.array(colorsys.hsv_to_rgb(rng.uniform(*hue), rng.uniform(0.05, 0.32), rng.uniform(0.3, 0.85)))


def _field(rng: np.random.Generator, height: int, width: int) -> Photo:
    """Sky over ground, with a soft uneven horizon."""
    rows = np.linspace(0.0, 1.0, height, dtype=np.float32)[:, None]
    clouds = power_noise(rng, height, width, exponent=1.8, stretch=0.6)
    sky = mix(_muted(rng, (0.52, 0.65)), np.full(3, 0.9), rows + 0.25 * clouds)
    blades = power_noise(rng, height, width, exponent=0.7, stretch=rng.uniform(0.6, 2.5))
    patches = power_noise(rng, height, width, exponent=1.6)
    ground = mix(_muted(rng, (0.06, 0.35)), _muted(rng, (0.06, 0.35)), 0.5 + 0.3 * patches)
    ground = lit(ground, 1.0 + rng.uniform(0.06, 0.16) * blades * (0.4 + 0.6 * rows))
    horizon = rng.uniform(0.1, 0.55) + 0.02 * power_noise(rng, 1, width, exponent=1.5)
    return mix(sky, ground, (rows - horizon) * height / 2)


def _room(rng: np.random.Generator, height: int, width: int) -> Photo:
    """A papered wall over a floor of boards."""
    rows = np.linspace(0.0, 1.0, height, dtype=np.float32)[:, None]
    columns = np.linspace(-0.5, 0.5, width, dtype=np.float32)[None, :]
    shade = 1.0 + 0.06 * power_noise(rng, height, width, exponent=1.2) + rng.uniform(-0.4, 0.4) * columns
    wall = lit(_muted(rng), shade + rng.uniform(0.0, 0.05) * np.sin(columns * rng.uniform(60, 160)))
    edge = rng.uniform(0.4, 0.75)
    depth = np.maximum(rows - edge, 0.0) + 0.25  # boards run towards the viewer
    board = np.floor(columns / depth * rng.uniform(1.5, 4.0) + 50).astype(int)
    tone = rng.uniform(0.8, 1.15, 200)[board % 200]
    grain = power_noise(rng, height, width, exponent=0.9, stretch=0.4)
    floor = lit(_muted(rng, (0.04, 0.13)), tone + 0.07 * grain)
    return mix(wall, floor, (rows - edge) * height)


def _foliage(rng: np.random.Generator, height: int, width: int) -> Photo:
    """Leaves, stones or gravel: three colours parted by two fields."""
    hue = [(0.15, 0.4), (0.0, 0.15), (0.5, 0.65)][rng.integers(3)]
    first, second, third = (_muted(rng, hue) for _ in range(3))
    exponent = rng.uniform(0.8, 1.3)
    photo = mix(first, second, 0.5 + power_noise(rng, height, width, exponent=exponent) * 0.45)
    photo = mix(photo, third, power_noise(rng, height, width, exponent=exponent) * 0.7 - 0.3)
    light = 1.0 + 0.12 * power_noise(rng, height, width, exponent=1.8)
    return lit(photo, light)


def _shelf(rng: np.random.Generator, height: int, width: int) -> Photo:
    """Rows of dull upright boxes, like books."""
    rows, columns = np.mgrid[:height, :width]
    shelf = rows // max(int(height / rng.uniform(1.5, 3.5)), 1)
    step = rng.uniform(0.04, 0.1) * width
    book = np.floor(columns / step + 0.35 * np.sin(columns / step * 2.1 + shelf * 5.0)).astype(int) + shelf * 31
    base = _muted(rng)
    colours = np.clip(base + rng.normal(0.0, 0.07, (997, 3)) + rng.normal(0.0, 0.06, (997, 1)), 0.05, 0.9)
    texture = 1.0 + 0.06 * power_noise(rng, height, width, exponent=1.0)
    edge = np.diff(book, axis=1, prepend=book[:, :1]) != 0
    return lit(colours[book % 997], texture * np.where(edge, 0.7, 1.0))


def _bricks(rng: np.random.Generator, height: int, width: int) -> Photo:
    """A wall of bricks or tiles with pale joints."""
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    tall = rng.uniform(0.06, 0.14) * height
    long = tall * rng.uniform(1.0, 2.6)
    course = np.floor(rows / tall)
    along = columns / long + 0.5 * (course % 2)
    brick = (course * 57 + np.floor(along)).astype(int)
    joint = np.minimum(np.abs((rows / tall) % 1 - 0.5) * -tall + tall / 2, np.abs(along % 1 - 0.5) * -long + long / 2)
    tone = rng.uniform(0.82, 1.12, 499)[brick % 499] + 0.07 * power_noise(rng, height, width, exponent=1.0)
    base = _muted(rng, [(0.0, 0.12), (0.5, 0.7)][rng.integers(2)])
    return mix(np.clip(base * 1.25, 0, 0.9), lit(base, tone), joint / 1.5)


def _add_distractor(rng: np.random.Generator, photo: Photo) -> None:
    """Paint a pebble, twig or scrap close in colour to what lies around it, into `photo`."""
    height, width = photo.shape[:2]
    middle = rng.uniform(0.0, 1.0, 2) * (width, height)
    corners = int(rng.integers(4, 9))
    angles = np.sort(rng.uniform(0, 2 * np.pi, corners))
    reach = rng.uniform(0.02, 0.06) * width * rng.uniform(0.7, 1.2, corners)
    flat, turn = rng.uniform(0.25, 1.0), rng.uniform(0, np.pi)
    shape = np.stack([np.cos(angles) * reach, np.sin(angles) * reach * flat], axis=1)
    shape = shape @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]) + middle
    row, column = int(np.clip(middle[1], 0, height - 1)), int(np.clip(middle[0], 0, width - 1))
    colour = np.clip(photo[row, column] * rng.uniform(0.55, 1.45) + rng.normal(0.0, 0.05, 3), 0.0, 1.0)
    cv2.fillPoly(photo, [np.round(shape * 16).astype(np.int32)], colour.tolist(), cv2.LINE_8, 4)
