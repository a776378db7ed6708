"""Polygons and both kinds of run lengths become pixels; what would decode to something else is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pycocotools import mask as rle

from wsss_core.ingest.segmentation import area, pixels, run_lengths

HEIGHT, WIDTH = 6, 8


def _rows(segmentation: Any) -> list[str]:
    return ["".join(map(str, row)) for row in pixels(run_lengths(segmentation, HEIGHT, WIDTH)).astype(int)]


def test_a_polygon_on_pixel_corners_covers_the_pixels_between_and_several_add_up() -> None:
    square, beside, outside = [1, 1, 3, 1, 3, 4, 1, 4], [2, 3, 5, 3, 5, 5, 2, 5], [7, -1, 9, -1, 9, 1, 7, 1]
    expected = ["00000001", "01100000", "01100000", "01111000", "00111000", "00000000"]
    assert _rows([square, beside, outside]) == expected
    assert area(run_lengths([square, beside, outside], HEIGHT, WIDTH)) == 6 + 6 - 1 + 1


@pytest.mark.parametrize(
    "counts",
    [
        [2, 3, 5, 1, 37],  # down the columns: rows 2, 3, 4 of the first, row 4 of the second
        "235NP1",  # 2, 3, 5, then 1 − 3 = −2 and 37 − 5 = 32 in two characters
        [2, 3, 5, 1, 0, 0, 37],
    ],
)
def test_run_lengths_as_numbers_and_as_text(counts: Any) -> None:
    expected = ["00000000", "00000000", "10000000", "10000000", "11000000", "00000000"]
    assert _rows({"size": [HEIGHT, WIDTH], "counts": counts}) == expected


def test_any_text_of_pycocotools_is_read_as_it_reads_it() -> None:
    noise = np.random.default_rng(0).random((40, 300)) < np.linspace(0, 1, 300)
    text = rle.encode(np.asfortranarray(noise.astype(np.uint8)))["counts"].decode()
    assert (pixels(run_lengths({"size": [40, 300], "counts": text}, 40, 300)) == noise).all()


@pytest.mark.parametrize(
    ("segmentation", "what"),
    [
        (None, "None is neither a list of polygons nor run lengths"),
        ([], "[] is neither a list of polygons nor run lengths"),
        ([[1, 1, 3, 3]], "[1, 1, 3, 3] is no polygon of at least three points"),
        ([[1, 1, 3, 1, 3, 3, 1]], "is no polygon"),
        ([1, 1, 3, 1, 3, 3], "1 is no polygon"),
        ([[1, 1, 3, 1, 3, [3]]], "is no polygon"),
        ([[1, 1, 3, 1, 3, float("nan")]], "leaves the photo of 8x6"),
        ([[1, 1, 1e300, 1, 3, 3]], "leaves the photo of 8x6"),
        ([[1, 1, 10, 1, 3, 3]], "polygon [1, 1, 10, 1, 3, 3] leaves the photo of 8x6"),
        ({"counts": [48]}, "size is None, expected [6, 8]"),
        ({"size": [8, 6], "counts": [48]}, "size is [8, 6], expected [6, 8]"),
        ({"size": [6, 8]}, "counts None are no run lengths"),
        ({"size": [6, 8], "counts": [50, -2]}, "counts [50, -2] are no run lengths"),
        ({"size": [6, 8], "counts": [40.0, 8.0]}, "are no run lengths"),
        ({"size": [6, 8], "counts": [40, 7]}, "run lengths of 47 pixels, expected 48"),
        ({"size": [6, 8], "counts": [40, 9]}, "run lengths of 49 pixels, expected 48"),
        ({"size": [6, 8], "counts": "235NP"}, "counts '235NP' are damaged"),
        ({"size": [6, 8], "counts": "235NP~1"}, "are damaged"),
        ({"size": [6, 8], "counts": ""}, "are damaged"),
        ({"size": [6, 8], "counts": "23"}, "run lengths of 5 pixels, expected 48"),
        ({"size": [6, 8], "counts": "O"}, "are no run lengths"),
    ],
)
def test_what_cannot_be_decoded_is_refused(segmentation: Any, what: str) -> None:
    with pytest.raises(ValueError) as caught:
        run_lengths(segmentation, HEIGHT, WIDTH)
    assert what in str(caught.value)
