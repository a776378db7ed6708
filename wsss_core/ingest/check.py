"""Checking one image: its photo, mask, boxes and labels. Runs in several processes, keeps no pixels."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from wsss_core.ingest.annotation import Box, read_annotation
from wsss_core.ingest.instances import box_of, from_text
from wsss_core.ingest.listing import HELD_OUT, Entry
from wsss_core.ingest.pictures import IGNORE, decode_mask, decode_photo
from wsss_core.ingest.problems import Problem
from wsss_core.ingest.segmentation import run_lengths
from wsss_core.ingest.source import Source, inside


@dataclass
class Checked:
    """What is known of an image after looking at all of its files.

    Attributes:
        colour: sums of red, green and blue over the photo's pixels.
        digest: of the bytes of photo and mask, or of what the mask is drawn from.
        tags: labels in the source's names.
    """

    problems: list[Problem] = field(default_factory=list)
    height: int = 0
    width: int = 0
    n_bytes: int = 0
    has_mask: bool = False
    colour: tuple[int, int, int] = (0, 0, 0)
    digest: str = ""
    tags: tuple[str, ...] = ()
    boxes: tuple[Box, ...] = ()

    def complain(self, where: object, what: str) -> None:
        self.problems.append(Problem(str(where), what))


def check(sources: Mapping[str, Source], names: Mapping[str, tuple[str, ...]], entry: Entry) -> Checked:
    """Look at everything that belongs to an image.

    Args:
        sources: by name.
        names: each source's classes in the order of their ids, without background.
        entry: the image.
    """
    source, known = sources[entry.source], names[entry.source]
    found = Checked()
    photo = _bytes(source.root, entry.photo, "photo", entry, found)
    if photo is None and not inside(source.root, entry.photo):
        return found  # its id would lead the mask's and the annotation's path astray as well
    if photo is not None:
        _check_photo(photo, source.root / entry.photo, found)
    mask = _bytes(source.root, entry.mask, "mask", entry, found, needed=entry.needs_mask) if entry.mask else None
    in_mask = () if mask is None else _check_mask(mask, source, known, entry, found)
    objects = _annotated(source.root, entry, found)
    if entry.instances:
        mask = entry.instances.read()
        _check_instances(mask, known, entry, found)
    found.digest = hashlib.sha256(b"".join(hashlib.sha256(part or b"").digest() for part in (photo, mask))).hexdigest()
    if entry.tags is not None:
        found.tags = entry.tags
    else:
        found.tags = in_mask if source.tags == "masks" else objects
    _check_tags(source, known, entry, objects, found)
    return found


def _bytes(root: Path, relative: str, kind: str, entry: Entry, found: Checked, *, needed: bool = True) -> bytes | None:
    if not inside(root, relative):
        what = f"{kind} {relative} leaves the root; put the file into the root and name it relative to the root"
        found.complain(entry.where, what)
        return None
    try:
        return (root / relative).read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        if needed:
            found.complain(entry.where, f"no {kind} {relative}; add the file or remove the image from the list")
    except OSError as error:
        found.complain(root / relative, f"cannot be read ({error.strerror}); mend the file's name or rights")
    return None


def _check_photo(data: bytes, path: Path, found: Checked) -> None:
    try:
        photo = decode_photo(data)
    except ValueError as error:
        found.complain(path, str(error))
        return
    blue, green, red, _ = (int(total) for total in cv2.sumElems(photo))
    found.height, found.width = photo.shape[:2]
    found.n_bytes, found.colour = len(data), (red, green, blue)


def _check_mask(data: bytes, source: Source, known: tuple[str, ...], entry: Entry, found: Checked) -> tuple[str, ...]:
    """Check a mask against its photo and the classes; the names in it."""
    path = source.root / str(entry.mask)
    try:
        mask = decode_mask(data, saliency=source.layout == "saliency")
    except ValueError as error:
        found.complain(path, str(error))
        return ()
    found.has_mask = True
    height, width = mask.shape
    if found.n_bytes and (height, width) != (found.height, found.width):
        turned = (width, height) == (found.height, found.width)
        way_out = "turn it as the photo's EXIF says" if turned else "save it at the photo's size"
        found.complain(path, f"mask is {width}x{height}, photo is {found.width}x{found.height}; {way_out}")
    values = [int(v) for v in np.flatnonzero(np.bincount(mask.ravel(), minlength=256)) if v not in (0, IGNORE)]
    strange = [v for v in values if v > len(known)]
    if strange:
        what = f"mask values {', '.join(map(str, strange))} outside the {len(known)} classes"
        found.complain(path, f"{what}; use 0 to {len(known)} and 255, or name more classes in classes.txt")
    return tuple(known[v - 1] for v in values if v <= len(known))


def _annotated(root: Path, entry: Entry, found: Checked) -> tuple[str, ...]:
    """Read boxes from the image's XML, if there is one; the names of its objects."""
    data = _bytes(root, entry.annotation, "annotation", entry, found, needed=False) if entry.annotation else None
    if data is None:
        return ()
    objects, boxes, problems = read_annotation(data, root / str(entry.annotation), found.height, found.width)
    found.boxes = boxes
    found.problems += problems
    return objects


def _check_instances(data: bytes, known: tuple[str, ...], entry: Entry, found: Checked) -> None:
    """Check that every instance of an image can be drawn, and read the boxes."""
    if not found.n_bytes:
        return
    height, width, instances = from_text(data)
    if (height, width) != (found.height, found.width):
        what = f"photo {entry.photo} is {found.width}x{found.height}, not {width}x{height} as listed"
        found.complain(entry.where, f"{what}; fetch the photo that was annotated, or remove the image from the list")
        return
    found.has_mask = True
    boxes = []
    for thing in instances:
        where = f"{entry.tags_where}:annotations[{thing.number}]"
        try:
            run_lengths(thing.segmentation, height, width)
        except ValueError as error:
            found.complain(where, f"segmentation: {error}; correct it or remove the annotation")
        if thing.crowd or not thing.class_id:
            continue
        try:
            boxes.append(Box(known[thing.class_id - 1], *box_of(thing.bbox, height, width), difficult=False))
        except ValueError as error:
            found.complain(where, f"bbox: {error}; correct it or remove the annotation")
    found.boxes = tuple(boxes)


def _check_tags(source: Source, known: tuple[str, ...], entry: Entry, objects: tuple[str, ...], found: Checked) -> None:
    xml = source.root / (entry.annotation or "")
    labels = dict.fromkeys(objects, str(xml)) | dict.fromkeys(entry.tags or (), entry.tags_where)
    for tag, where in labels.items():
        if tag not in known:
            hint = f"known: {', '.join(known)}" if len(known) <= 30 else f"{len(known)} are known"
            found.complain(
                where, f"{entry.image_id}: unknown label {tag!r}; correct it or name it in classes.txt ({hint})"
            )
    if entry.tags is not None and (lone := {box.label for box in found.boxes} - set(entry.tags)):
        what = f"{entry.image_id}: boxes of {', '.join(sorted(lone))}, which {entry.tags_where} does not name"
        found.complain(xml, f"{what}; add the label there or remove the boxes")
    if entry.instances or entry.split in HELD_OUT:  # annotated in full, so that nothing is there; or never asked for
        return
    if not found.tags and (entry.tags is not None or not found.problems):
        found.complain(entry.tags_where, f"{entry.image_id}: image without any label; label it or remove the image")
