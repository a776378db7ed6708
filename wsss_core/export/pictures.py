"""A folder of pictures, read a window at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from wsss_core.ingest.folders import SUFFIXES
from wsss_core.ingest.pictures import decode_photo
from wsss_core.stage import InputError

WINDOW = 32
MOST_PIXELS = 2**21  # a network sees far less; scores of 21 classes at this size take 176 MB


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture to label.

    Attributes:
        height, width: its true size, turned as its EXIF says.
        photo: RGB uint8 (h, w, 3), of at most `MOST_PIXELS` pixels.
    """

    path: Path
    height: int
    width: int
    photo: np.ndarray


def list_pictures(folder: Path) -> list[Path]:
    """The pictures in a folder by name; hidden files and subfolders are left out.

    Raises:
        InputError: no folder, no picture in it, or two that differ in their suffix alone.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; name one with pictures")
    paths = [p for p in sorted(folder.iterdir()) if p.suffix.lower() in SUFFIXES and not p.name.startswith(".")]
    paths = [path for path in paths if not path.is_dir()]
    if not paths:
        raise InputError(f"{folder}: no picture in it ({', '.join(sorted(SUFFIXES))}; subfolders are not searched)")
    by_stem: dict[str, Path] = {}
    for path in paths:
        other = by_stem.setdefault(path.stem, path)
        if other is not path:
            raise InputError(f"{path}: would be written over {other.name}, both as {path.stem}.png; rename one of them")
    return paths


def read_picture(path: Path) -> Picture:
    """Read a picture; one of more than `MOST_PIXELS` is shrunk.

    Raises:
        ValueError: not a picture, or damaged.
        OSError: cannot be read.
    """
    photo = decode_photo(path.read_bytes())
    height, width = photo.shape[:2]
    factor = (MOST_PIXELS / (height * width)) ** 0.5
    if factor < 1:
        size = max(1, int(width * factor)), max(1, int(height * factor))
        photo = cv2.resize(photo, size, interpolation=cv2.INTER_AREA)
    return Picture(path, height, width, cv2.cvtColor(photo, cv2.COLOR_BGR2RGB))


def windows(paths: Sequence[Path], complain: Callable[[str], None]) -> Iterator[list[Picture]]:
    """Pictures, up to `WINDOW` at a time; `complain` gets a line for each that cannot be read."""
    for begin in range(0, len(paths), WINDOW):
        window = []
        for path in paths[begin : begin + WINDOW]:
            try:
                window.append(read_picture(path))
            except ValueError as error:
                complain(f"{path}: {error}")
            except OSError as error:
                complain(f"{path}: cannot be read ({error.strerror}); mend the file's name or rights")
        yield window
