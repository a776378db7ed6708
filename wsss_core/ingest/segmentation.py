"""COCO's forms of a segmentation (polygons, run lengths as numbers or as text) → one form that surely decodes.

`pycocotools` trusts what it is given: run lengths that stop short leave random pixels, a torn text is read beyond its
end, four numbers count as a box. So everything is checked before it gets there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from pycocotools import mask as rle

# A run: five bits per character, the lowest first; the last character lacks the bit that says that more follow.
RUN = re.compile(r"[P-o]{0,6}[0-O]")
TEXT = re.compile(rf"(?:{RUN.pattern})+")


def run_lengths(segmentation: Any, height: int, width: int) -> dict[str, Any]:
    """The compressed run lengths of an instance's pixels, for `pixels` and `area`.

    Args:
        segmentation: a list of polygons `[x, y, x, y, ...]` in pixels, or `{"size": [H, W], "counts": ...}` with run
            lengths down the columns, background first, as numbers or as compressed text.
        height, width: of the photo.

    Raises:
        ValueError: it cannot be decoded.
    """
    if isinstance(segmentation, list) and segmentation:
        polygons = [_polygon(polygon, height, width) for polygon in segmentation]
        return dict(rle.merge(rle.frPyObjects(polygons, height, width)))
    if not isinstance(segmentation, Mapping):
        raise ValueError(f"{_short(segmentation)} is neither a list of polygons nor run lengths")
    if segmentation.get("size") != [height, width]:
        raise ValueError(f"size is {_short(segmentation.get('size'))}, expected [{height}, {width}]")
    given = segmentation.get("counts")
    counts = _from_text(given) if isinstance(given, str) else given
    if not isinstance(counts, list) or not all(type(count) is int and count >= 0 for count in counts):
        raise ValueError(f"counts {_short(given)} are no run lengths")
    if sum(counts) != height * width:
        raise ValueError(f"run lengths of {sum(counts)} pixels, expected {height * width}")
    return dict(rle.frPyObjects({"size": [height, width], "counts": counts}, height, width))


def pixels(runs: dict[str, Any]) -> np.ndarray:
    """What `run_lengths` made, as bool (H, W)."""
    return np.asarray(rle.decode(runs)).astype(bool)


def area(runs: dict[str, Any]) -> int:
    """Number of pixels of what `run_lengths` made."""
    return int(rle.area(runs))


def _polygon(points: Any, height: int, width: int) -> np.ndarray:
    """A polygon's coordinates, float64 (2 n,); it may leave the photo by at most one pixel, as a box may."""
    try:
        edges = np.array(points, np.float64)
    except (TypeError, ValueError, OverflowError):
        edges = np.zeros(0)
    if edges.ndim != 1 or edges.size < 6 or edges.size % 2:
        raise ValueError(f"{_short(points)} is no polygon of at least three points")
    if not (edges.min() >= -1 and edges[0::2].max() <= width + 1 and edges[1::2].max() <= height + 1):  # also for NaN
        raise ValueError(f"polygon {_short(points)} leaves the photo of {width}x{height}")
    return edges


def _from_text(text: str) -> list[int]:
    """Run lengths from compressed text; from the fourth on, each is written as the difference to the last but one."""
    if not TEXT.fullmatch(text):
        raise ValueError(f"counts {_short(text)} are damaged")
    counts: list[int] = []
    for run in RUN.findall(text):
        value = sum((ord(character) - 48 & 31) << 5 * place for place, character in enumerate(run))
        if ord(run[-1]) - 48 & 16:
            value -= 1 << 5 * len(run)
        counts.append(value + (counts[-2] if len(counts) > 2 else 0))
    return counts


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
