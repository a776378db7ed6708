"""Two figures compared: is their difference where it is expected, given how far the seeds lie apart?

The one rule: a comparison expects a difference of two figures between two bounds, in points of percent. The difference
is taken seed by seed; its spread is two standard deviations over the seeds. It holds where mean ± spread lies wholly
between the bounds, does not hold where it lies wholly outside, and is not decided where it straddles one, where a
figure is missing, or where the two have fewer than three seeds in common, as two stores have that the graph makes once
for all seeds. Detector, attention and mined cues are made once, too, so the seeds' spread is that of the networks which
learn from them. Of two figures that do not differ it decides 7 in 100 nevertheless with three seeds (Student's t; with
two it would be 22).
"""

from __future__ import annotations

import string
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import inf
from statistics import fmean, stdev
from typing import Any

from wsss_core.report.figures import SECONDS, Figures, made_once

HOLDS, FAILS, OPEN = "holds", "does not hold", "not decided"
WITHIN, MISSING = "within the spread of the seeds", "missing"
ONCE_FOR_ALL = "made once for all seeds, so without a spread"
TOO_FEW = {0: "no seed to compare", 1: "one seed of the three needed", 2: "two seeds of the three needed"}
CLOCK = "time is no part of a reproducible page: see costs.html"
DEVIATIONS = 2
ALIKE, MUCH = 1.0, 3.0  # points: what "≈" allows, what "≫" asks for


@dataclass(frozen=True)
class Comparison:
    """`first` less `second` is expected between `low` and `high`, in points; `second` None stands for 0.

    Names are those of `Figures`, with places: `{n}` every number of images with masks, `{most}` the largest, `{k}` that
    of the second data set, `{t}` every step of affinity, `{next}` the one after it, `{last}` the last.
    With `relative`, the difference is in percent of `second`.
    """

    first: str
    second: str | None
    low: float = -inf
    high: float = inf
    relative: bool = False


@dataclass(frozen=True)
class Compared:
    """A comparison carried out: the figures of every seed by name, none where missing, and the seeds' differences."""

    values: dict[str, list[float]]
    expected: str
    differences: list[float]
    spread: float | None
    verdict: str
    reason: str


def above(first: str, second: str) -> Comparison:
    """`first` > `second`."""
    return Comparison(first, second, low=0)


def not_below(first: str, second: str) -> Comparison:
    """`first` ≥ `second`: not a point less."""
    return Comparison(first, second, low=-ALIKE)


def not_above(first: str, second: str) -> Comparison:
    """`first` brings nothing over `second`: not a point more."""
    return Comparison(first, second, high=ALIKE)


def alike(first: str, second: str) -> Comparison:
    """`first` ≈ `second`: within a point."""
    return Comparison(first, second, low=-ALIKE, high=ALIKE)


def much_above(first: str, second: str) -> Comparison:
    """`first` ≫ `second`: by more than three points."""
    return Comparison(first, second, low=MUCH)


def adds(first: str, second: str, low: float, high: float) -> Comparison:
    """`first` has between `low` and `high` points more than `second`."""
    return Comparison(first, second, low=low, high=high)


def at_most(first: str, high: float) -> Comparison:
    """`first` itself is not above `high` percent."""
    return Comparison(first, None, high=high)


def costs(first: str, second: str, percent: float) -> Comparison:
    """Training `first` takes at most `percent` percent longer than training `second`."""
    return Comparison(f"{first}:{SECONDS}", f"{second}:{SECONDS}", high=percent, relative=True)


def compare(comparison: Comparison, figures: Figures) -> Compared:
    """Carry out one comparison, its names without places."""
    values = {name: figures.by_seed(name) for name in (comparison.first, comparison.second) if name is not None}
    seeds = sorted({seed for found in values.values() for seed in found})
    shared = [dict.fromkeys(seeds, found[0]) if made_once(name) and found else found for name, found in values.items()]
    pairs = [[found[seed] for found in shared] for seed in seeds if all(seed in found for found in shared)]
    if comparison.relative:
        pairs = [pair for pair in pairs if pair[1]]  # nothing is so many percent of 0
    differences = [_difference(pair, comparison.relative) for pair in pairs]
    spread = DEVIATIONS * stdev(differences) if len(differences) > 1 else None
    verdict, reason = _verdict(comparison, differences, spread)
    missing = [name for name, found in values.items() if not found]
    if missing:
        clocked = not figures.timed and all(name.endswith(f":{SECONDS}") for name in missing)
        reason = CLOCK if clocked else MISSING
    elif verdict == OPEN and all(map(made_once, values)):
        reason = ONCE_FOR_ALL
    ours = {name: list(found.values()) for name, found in values.items()}
    return Compared(ours, _expected(comparison), differences, spread, verdict, reason)


def _difference(values: list[float], relative: bool) -> float:
    first, second = [*values, 0.0][:2]
    return 100 * (first / second - 1) if relative else first - second


def _verdict(comparison: Comparison, differences: list[float], spread: float | None) -> tuple[str, str]:
    if spread is None or len(differences) in TOO_FEW:
        return OPEN, TOO_FEW[len(differences)]
    low, high = fmean(differences) - spread, fmean(differences) + spread
    if comparison.low < low and high < comparison.high:
        return HOLDS, ""
    if high <= comparison.low or low >= comparison.high:
        return FAILS, ""
    return OPEN, WITHIN


def filled(comparison: Comparison, figures: Figures) -> Iterator[Comparison]:
    """The comparison once for every number and step it speaks of; where there is none, as it is, hence missing."""
    names = (comparison.first, comparison.second or "")
    places = {place for name in names for _, place, _, _ in string.Formatter().parse(name) if place}
    steps = figures.steps
    rows: list[dict[str, Any]] = [{}]
    if "n" in places:
        rows = [{"n": n} for n in figures.masks]
    elif "k" in places:
        rows = [{"k": k} for k in figures.second]
    elif "next" in places:
        rows = [{"t": t, "next": t + 1} for t in range(1, steps)]
    elif "t" in places:
        rows = [{"t": t} for t in range(1, steps + 1)]
    elif ("most" in places and not figures.masks) or ("last" in places and not steps):
        rows = []
    ends = {"most": max(figures.masks, default=None), "last": steps}
    for row in rows or [{place: f"<{place}>" for place in places}]:
        first, second = (name.format(**{**ends, **row}) for name in names)
        yield replace(comparison, first=first, second=second or None)


def _expected(comparison: Comparison) -> str:
    low, high, unit = comparison.low, comparison.high, " %" * comparison.relative
    if low == -inf:
        return f"< {high:g}{unit}"
    return f"> {low:g}{unit}" if high == inf else f"{low:g} to {high:g}{unit}"
