"""Checking an archive as VOC's evaluation server would, before it is sent there."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from wsss_core.data.dataset import Dataset
from wsss_core.export.archive import read_archive
from wsss_core.export.label_png import decode_labels
from wsss_core.export.voc import FOLDER, LARGEST, results_folder

Sizes = dict[str, tuple[int, int]]


def archive_problems(file: Path, dataset: Dataset, *, folder: str | None = None) -> Iterator[str]:
    """Everything that is wrong with an archive of label maps, one line each; nothing if it can be sent.

    Args:
        file: a `.tar.gz`; read member by member, nothing is unpacked.
        dataset: knows the images of the split and their sizes.
        folder: the folder that all label maps must be in; by default that of the first one, which must be one that the
            server knows.
    """
    try:
        folder = folder or _folder_of(file)
        split = _split_of(folder)
        table = dataset.table[dataset.table["split"] == split]
        if table.empty:
            raise ValueError(f"{folder}: the data set {dataset.path} has no split {split}")
        yield from _member_problems(
            file, folder, dict(zip(table["image_id"], zip(table["height"], table["width"], strict=True), strict=True))
        )
    except ValueError as error:
        yield str(error)


def _folder_of(file: Path) -> str:
    """The folder of the first file of an archive."""
    for member, _ in read_archive(file):
        if not member.isdir():
            return str(PurePosixPath(member.name).parent)
    raise ValueError("holds no file; export it again")


def _split_of(folder: str) -> str:
    known = FOLDER.fullmatch(folder)
    if not known:
        raise ValueError(f"folder {folder}: the server expects {results_folder('comp6', 'val')}, or comp5, or test")
    return known[2]


def _member_problems(file: Path, folder: str, sizes: Sizes) -> Iterator[str]:
    found: set[str] = set()
    for member, data in read_archive(file):
        if member.isdir() and f"{folder}/".startswith(f"{member.name.rstrip('/')}/"):
            continue
        path = PurePosixPath(member.name)
        if not member.isreg() or member.name != f"{folder}/{path.stem}.png" or path.stem not in sizes:
            yield f"{member.name}: {_out_of_place(member, folder)}"
        elif path.stem in found:
            yield f"{member.name}: stands twice; keep one"
        else:
            found.add(path.stem)
            if problem := _problem(data, *sizes[path.stem]):
                yield f"{member.name}: {problem}"
    for image_id in sizes:
        if image_id not in found:
            yield f"{folder}/{image_id}.png: missing; the server wants every image of the split"


def _out_of_place(member: tarfile.TarInfo, folder: str) -> str:
    if not member.isreg():
        return "not a plain file; keep nothing but label maps"
    return f"not {folder}/<image id>.png of an image of the split; remove it"


def _problem(data: bytes, height: int, width: int) -> str | None:
    try:
        largest = decode_labels(data, height=height, width=width).max()
    except ValueError as error:
        return str(error)
    return f"value {largest}; VOC's class ids end at {LARGEST}" if largest > LARGEST else None
