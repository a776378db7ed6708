"""The geometry of a small line chart; the page's template draws it as SVG."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np


class Frame(NamedTuple):
    """The view box and, inside it, where the axes lie, in SVG units."""

    width: int = 440
    height: int = 280
    left: int = 44
    right: int = 420
    top: int = 28
    bottom: int = 236


FRAME = Frame()
# After Okabe and Ito, without black and yellow, so that they stand out on light and on dark; then again dashed.
COLOURS = ("#2f86c9", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9")
DASHES = ("", "6 3", "2 3")
PAPER, PAPER_DASH = "paper: ", "9 3 2 3"
MOST_POINTS = 160

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Tick:
    at: float
    text: str


@dataclass(frozen=True)
class Line:
    name: str
    colour: str
    dash: str
    points: list[tuple[float, float]]

    @property
    def path(self) -> str:
        return " ".join(f"{x:.1f},{y:.1f}" for x, y in self.points)


@dataclass(frozen=True)
class Chart:
    """A chart laid out in the units of `FRAME`."""

    title: str
    x_label: str
    y_label: str
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    lines: list[Line]
    marked: bool


def line_chart(title: str, x_label: str, y_label: str, series: Mapping[str, Points], *, marked: bool = False) -> Chart:
    """Lay out one line per series.

    Args:
        series: finite points (x, y) by name, x ascending, none empty; long series are thinned to block means. One
            named `paper: NAME` has the colour of `NAME` and a dash of its own.
        marked: draw a dot at every point, and let every whole x be a tick.

    Raises:
        ValueError: no series, or an empty one.
    """
    if not series or not all(len(points) for points in series.values()):
        raise ValueError(f"chart {title!r}: expected at least one point in each series")
    thinned = {name: _thin(np.asarray(points, float)) for name, points in series.items()}
    every = np.concatenate(list(thinned.values()))
    x_values = _ticks(every[:, 0].min(), every[:, 0].max(), whole=marked)
    y_values = _ticks(every[:, 1].min(), every[:, 1].max(), whole=False)
    x_at = _scale((x_values[0], x_values[-1]), (FRAME.left, FRAME.right))
    y_at = _scale((y_values[0], y_values[-1]), (FRAME.bottom, FRAME.top))
    own = list(dict.fromkeys(name.removeprefix(PAPER) for name in thinned))
    lines = []
    for name, points in thinned.items():
        i = own.index(name.removeprefix(PAPER))
        dash = PAPER_DASH if name.startswith(PAPER) else DASHES[i // len(COLOURS) % len(DASHES)]
        lines.append(Line(name, COLOURS[i % len(COLOURS)], dash, [(x_at(x), y_at(y)) for x, y in points.tolist()]))
    return Chart(
        title,
        x_label,
        y_label,
        [Tick(x_at(v), f"{v:.10g}") for v in x_values],
        [Tick(y_at(v), f"{v:.10g}") for v in y_values],
        lines,
        marked,
    )


def _scale(values: tuple[float, float], places: tuple[int, int]) -> Callable[[float], float]:
    """The straight line that takes the ends of one interval to those of the other."""
    slope = (places[1] - places[0]) / (values[1] - values[0])
    return lambda value: places[0] + (value - values[0]) * slope


def _thin(points: np.ndarray) -> np.ndarray:
    """Means of equal blocks, so that a line has at most `MOST_POINTS` points; shape (n, 2) → (m, 2)."""
    if len(points) <= MOST_POINTS:
        return points
    return np.stack([block.mean(axis=0) for block in np.array_split(points, MOST_POINTS)])


def _ticks(low: float, high: float, *, whole: bool) -> list[float]:
    """Round values that enclose [low, high] in steps of 1, 2 or 5 times a power of ten, at least two of them."""
    if low == high:
        low, high = low - 0.5, high + 0.5
    rough = (high - low) / 5
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * (1 - 1e-9))
    if whole:
        step = max(1.0, step)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [float(f"{i * step:.10g}") for i in range(first, last + 1)]
