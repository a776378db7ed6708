"""A stage's output folder, there as a whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

WORK = Path("data/.work")


@contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """Yield an empty folder to write into; when the block ends without an error it takes the name `out`.

    The folder is made below `data/.work`, outside every stage's outputs, so an interrupted stage leaves nothing
    half-written that DVC or a reader could take for a result. Under a distributed launcher only the process of
    rank 0 leaves anything.
    """
    if int(os.environ.get("RANK", "0")):
        with TemporaryDirectory() as nowhere:
            yield Path(nowhere)
        return
    out = Path(out)
    building = WORK / f"{str(out).strip('/').replace('/', '.')}.building"
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    yield building
    if out.exists():
        shutil.rmtree(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    os.replace(building, out)


@contextmanager
def whole_file(out: Path) -> Iterator[Path]:
    """Yield a path to write a file to; when the block ends without an error it takes the name `out`."""
    out = Path(out)
    building = WORK / f"{str(out).strip('/').replace('/', '.')}.building"
    building.parent.mkdir(parents=True, exist_ok=True)
    yield building
    out.parent.mkdir(parents=True, exist_ok=True)
    os.replace(building, out)
