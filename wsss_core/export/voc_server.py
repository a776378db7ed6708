"""A run's stored label maps as the archive that VOC's evaluation server takes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from wsss_core.data.dataset import Dataset
from wsss_core.export.archive import write_archive
from wsss_core.export.check import archive_problems
from wsss_core.export.label_png import encode_labels
from wsss_core.export.output import new_file
from wsss_core.export.voc import LARGEST, results_folder, to_voc
from wsss_core.stage import InputError
from wsss_core.stores import Store

PREDICTIONS = Path("data/predictions")


def export_voc_server(
    run: str, out: Path, *, dataset: Path, crf: bool = False, split: str = "val", comp: str = "comp6"
) -> int:
    """Write a run's label maps of a split to `out`, check the archive, and return how many there are.

    Args:
        run: a name below `data/predictions`.
        out: the `.tar.gz`; appears only when the check found nothing wrong. The same label maps give the same bytes.
        dataset: the data set that was predicted; says what a whole split is.
        crf: the labels after the dense CRF.
        split: val or test.
        comp: comp5 or comp6.

    Raises:
        InputError: no such run, array or split, a class that VOC does not have, or an archive with a problem.
    """
    folder = results_folder(comp, split)
    store, array = _predictions(run), "labels_crf" if crf else "labels"
    if array not in store.arrays:
        raise InputError(
            f"{store.path}: holds no {array}; set predict.crf in params.yaml and run dvc repro predict@{run}"
        )
    rows = np.flatnonzero(store.table["split"] == split).tolist()
    if not rows:
        there = ", ".join(store.table["split"].unique())
        raise InputError(f"{store.path}: no predictions of split {split}; there are: {there}")
    with new_file(out) as building:
        write_archive(building, _label_pngs(store, array, rows, folder))
        problem = next(archive_problems(building, Dataset(dataset), folder=folder), None)
        if problem:
            raise InputError(f"{out}: not written: {problem}")
    return len(rows)


def is_plain(name: str) -> bool:
    """Whether a name can be a file's: no folder in it, and none meant by it."""
    return name not in ("", ".", "..") and not set(name) & set("/\\\0")


def _predictions(run: str) -> Store:
    if not is_plain(run) or not (PREDICTIONS / run).is_dir():
        known = sorted(path.name for path in PREDICTIONS.glob("*") if path.is_dir())
        raise InputError(f"{run}: no such run below {PREDICTIONS}; there are: {', '.join(known) or 'none'}")
    return Store(PREDICTIONS / run)


def _label_pngs(store: Store, array: str, rows: list[int], folder: str) -> Iterator[tuple[str, bytes]]:
    """Names and PNGs in the order of the names, read one by one."""
    ids = to_voc(store.meaning["classes"])
    named = sorted(
        (f"{image_id}.png", row) for image_id, row in zip(store.table["image_id"].iloc[rows], rows, strict=True)
    )
    for name, row in named:
        if not is_plain(name):
            raise InputError(f"{store.path}: image {name.removesuffix('.png')}: the server has no folders; rename it")
        labels = store.read(array, row)
        voc = ids[labels]
        if voc.max() > LARGEST:
            what = f"{array} holds {labels[voc > LARGEST].max()}, which is no class; run dvc repro again"
            raise InputError(f"{store.path}: image {name.removesuffix('.png')}: {what}")
        yield f"{folder}/{name}", encode_labels(voc)
