"""Files and folders that a user names, there as a whole or not at all, on whatever disk they are."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wsss_core.stage import InputError


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """Yield an empty folder beside `out`; when the block ends without an error it takes that name.

    Raises:
        InputError: something is there already; a folder of the user's is never replaced.
    """
    out = Path(out).resolve()
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise InputError(f"{out}: exists already; remove it or name another folder")
    building = _beside(out)
    building.mkdir()
    try:
        yield building
        os.replace(building, out)
    finally:
        shutil.rmtree(building, ignore_errors=True)


@contextmanager
def new_file(out: Path) -> Iterator[Path]:
    """Yield a path beside `out` to write a file to; when the block ends without an error it takes that name.

    Raises:
        InputError: `out` is a folder.
    """
    out = Path(out).resolve()
    if out.is_dir():
        raise InputError(f"{out}: is a folder; name a file in it")
    building = _beside(out)
    try:
        yield building
        os.replace(building, out)
    finally:
        building.unlink(missing_ok=True)


def _beside(out: Path) -> Path:
    """A hidden name on the same disk, free of what a killed run left there."""
    out.parent.mkdir(parents=True, exist_ok=True)
    building = out.with_name(f".{out.name}.building")
    if building.is_dir():
        shutil.rmtree(building)
    else:
        building.unlink(missing_ok=True)
    return building
