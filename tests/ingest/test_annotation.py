"""VOC's 1-based inclusive boxes, and what is wrong with them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from wsss_core.ingest.annotation import Box, read_annotation

FILE = Path("a.xml")


def test_pixel_1_to_4_inclusive_is_columns_0_to_4_half_open(xml: Callable) -> None:
    names, boxes, problems = read_annotation(xml(("dog", (1, 2, 4, 5))).encode(), FILE, 6, 8)
    assert (names, problems) == (("dog",), [])
    assert boxes == (Box("dog", 0, 1, 4, 5, False),)


def test_a_box_one_pixel_outside_is_cut_and_coordinates_are_rounded(xml: Callable) -> None:
    _, boxes, problems = read_annotation(xml(("dog", (0, 1.7, "9", 7))).encode(), FILE, 6, 8)
    assert problems == []
    assert boxes[0][1:5] == (0, 1, 8, 6)


@pytest.mark.parametrize(
    ("box", "what"),
    [
        ((1, 1, 10, 6), "leaves the photo of 8x6"),
        ((-1, 1, 8, 6), "leaves the photo of 8x6"),
        ((1, 1, 8, 8), "leaves the photo of 8x6"),
        ((5, 1, 4, 6), "is empty"),
        (("x", 1, 4, 6), "xmin is 'x', not a number"),
        ((1, 1, "inf", 6), "xmax is 'inf', not a number"),
        ((1, 1, 4), "ymax is '', not a number"),
    ],
)
def test_bad_boxes_are_told_with_their_object(xml: Callable, box: tuple, what: str) -> None:
    names, boxes, problems = read_annotation(xml(("cat", (1, 1, 2, 2)), ("dog", box)).encode(), FILE, 6, 8)
    assert names == ("cat", "dog") and len(boxes) == 1
    assert [what in str(problem) and "a.xml: box of object 2 (dog)" in str(problem) for problem in problems] == [True]


def test_parts_of_an_object_are_not_objects_and_difficult_is_kept() -> None:
    data = b"""<annotation><object><name>person</name><difficult>1</difficult>
    <part><name>head</name><bndbox><xmin>2</xmin><ymin>2</ymin><xmax>3</xmax><ymax>3</ymax></bndbox></part>
    <bndbox><xmin>1</xmin><ymin>1</ymin><xmax>8</xmax><ymax>6</ymax></bndbox></object></annotation>"""
    assert read_annotation(data, FILE, 6, 8) == (("person",), (Box("person", 0, 0, 8, 6, True),), [])


def test_broken_xml_is_told_with_its_line() -> None:
    _, _, problems = read_annotation(b"<annotation>\n<object>\n</annotation>", FILE, 6, 8)
    assert [str(problem) for problem in problems] == ["a.xml:3: not valid XML; mend or remove the file"]


def test_an_object_without_a_name_is_told() -> None:
    _, _, problems = read_annotation(b"<annotation><object/></annotation>", FILE, 6, 8)
    assert [str(problem) for problem in problems] == ["a.xml: object 1 has no name; name it or remove it"]
