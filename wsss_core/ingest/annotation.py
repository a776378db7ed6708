"""Objects and boxes from an annotation file in VOC's XML."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from wsss_core.ingest.problems import Problem

EDGES = ("xmin", "ymin", "xmax", "ymax")


class Box(NamedTuple):
    """An object's box in pixels, 0-based and half-open: columns xmin…xmax−1, rows ymin…ymax−1."""

    label: str
    xmin: int
    ymin: int
    xmax: int
    ymax: int
    difficult: bool


def read_annotation(
    data: bytes, path: Path, height: int, width: int
) -> tuple[tuple[str, ...], tuple[Box, ...], list[Problem]]:
    """The names of an image's objects, their boxes, and what is wrong with them.

    VOC counts pixels from 1 and includes the last one. A box that leaves the photo by at most one pixel is cut off.

    Args:
        data: the XML file's bytes.
        path: its path, for messages.
        height, width: of the photo; 0 if it is unreadable, then the boxes are left out.
    """
    try:
        root = ElementTree.fromstring(data)
    except ElementTree.ParseError as error:
        return (), (), [Problem(f"{path}:{error.position[0]}", "not valid XML; mend or remove the file")]
    names: dict[str, None] = {}
    boxes, problems = [], []
    for number, thing in enumerate(root.findall("object"), start=1):
        name = (thing.findtext("name") or "").strip()
        if not name:
            problems.append(Problem(str(path), f"object {number} has no name; name it or remove it"))
            continue
        names[name] = None
        frame = thing.find("bndbox")
        if frame is None or not height:
            continue
        try:
            edges = [_number(frame, edge) for edge in EDGES]
            box = inside_photo((edges[0] - 1, edges[1] - 1, edges[2], edges[3]), edges, height, width)
        except ValueError as error:
            problems.append(Problem(str(path), f"box of object {number} ({name}): {error}; correct or remove it"))
        else:
            boxes.append(Box(name, *box, (thing.findtext("difficult") or "0").strip() == "1"))
    return tuple(names), tuple(boxes), problems


def _number(frame: ElementTree.Element, edge: str) -> int:
    text = frame.findtext(edge) or ""
    try:
        return round(float(text))
    except (ValueError, OverflowError):
        raise ValueError(f"{edge} is {text!r}, not a number") from None


def inside_photo(box: tuple[int, int, int, int], typed: object, height: int, width: int) -> tuple[int, int, int, int]:
    """Cut a box off that leaves the photo by at most one pixel: xmin, ymin, xmax, ymax, 0-based and half-open.

    Args:
        box: in the same form.
        typed: the box as the user has it, for messages.
        height, width: of the photo.

    Raises:
        ValueError: it leaves the photo by more, or is empty.
    """
    xmin, ymin, xmax, ymax = box
    if min(xmin, ymin) < -1 or xmax > width + 1 or ymax > height + 1:
        raise ValueError(f"{typed} leaves the photo of {width}x{height}")
    xmin, ymin, xmax, ymax = max(xmin, 0), max(ymin, 0), min(xmax, width), min(ymax, height)
    if xmin >= xmax or ymin >= ymax:
        raise ValueError(f"{typed} is empty")
    return xmin, ymin, xmax, ymax
