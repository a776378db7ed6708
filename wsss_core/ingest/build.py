"""The stage `ingest`: list, check everything, tell all problems at once, pack."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np
import pandas as pd
from rich.progress import track

from wsss_core.ingest.check import Checked, check
from wsss_core.ingest.coco import list_coco
from wsss_core.ingest.folders import list_folders
from wsss_core.ingest.listing import HELD_OUT, Entry, Listing
from wsss_core.ingest.pack import pack_masks, pack_photos
from wsss_core.ingest.problems import raise_if_any
from wsss_core.ingest.selection import choose_classes, empty_splits, index_table, remap, unique_entries
from wsss_core.ingest.source import Source
from wsss_core.ingest.table import list_table
from wsss_core.stage import InputError, bind, whole_folder
from wsss_core.stores import fingerprint

CHUNK = 32
BOX_COLUMNS = ["image_id", "class_id", "label", "xmin", "ymin", "xmax", "ymax", "difficult"]


def ingest(
    out: Path,
    *,
    sources: dict,
    classes: list[str] | None = None,
    other_classes: Literal["background", "ignore"] = "background",
    on_bad_image: Literal["error", "skip"] = "error",
    workers: int = 2,
    where: str = "ingest",
) -> None:
    """Read data sets into one folder that nothing downstream has to look behind.

    Writes `photos/` (artifact of encoded photos), `masks/` (label store of the images that have a mask, left out if
    none has), `index.parquet` (every image, also those skipped), `boxes.parquet` and `dataset.json`.

    Args:
        out: the folder; appears as a whole or not at all.
        sources: the keys of a `Source` by a name of your own.
        classes: the classes to keep, in the order of their ids; by default all of the first source.
        other_classes: what mask pixels of all other classes become.
        on_bad_image: leave an image with a problem of its own out, or stop.
        workers: processes.
        where: section of the settings, for messages.

    Raises:
        InputError: lists everything that is wrong with the data set.
    """
    if workers < 1:
        raise ValueError(f"workers must be at least 1, got {workers}")
    described = _describe(sources, where)
    with TemporaryDirectory(prefix="wsss-ingest-") as scratch:
        listings = {name: _list(name, source, Path(scratch)) for name, source in described.items()}
        reading = _read(described, listings, classes, on_bad_image, workers, where)
        with whole_folder(out) as building:
            _write(building, Path(out).name, reading, other_classes, workers)


@dataclass(frozen=True)
class Reading:
    """All that is known after reading everything once.

    Attributes:
        names: each source's classes in the order of their ids.
        classes: the data set's classes by id, background first.
        entries, checked, index: in reading order, skipped images included.
    """

    sources: dict[str, Source]
    names: dict[str, tuple[str, ...]]
    classes: list[str]
    entries: list[Entry]
    checked: list[Checked]
    index: pd.DataFrame


def _read(
    sources: dict[str, Source],
    listings: dict[str, Listing],
    classes: list[str] | None,
    on_bad_image: str,
    workers: int,
    where: str,
) -> Reading:
    names = {name: listing.names for name, listing in listings.items()}
    chosen, unknown = choose_classes(listings, classes, f"{where}.classes")
    entries, duplicates = unique_entries(listings)
    checked = _check_all(entries, partial(check, sources, names), workers)
    problems = [problem for listing in listings.values() for problem in listing.problems] + unknown + duplicates
    if on_bad_image == "error":
        problems += [problem for found in checked for problem in found.problems]
    raise_if_any(problems)
    index = index_table(entries, checked, chosen)
    raise_if_any(empty_splits(index, where))
    return Reading(sources, names, ["background", *chosen], entries, checked, index)


def _write(building: Path, name: str, reading: Reading, other_classes: str, workers: int) -> None:
    sources, classes, index = reading.sources, reading.classes, reading.index
    table = index[index["skipped"] == ""].drop(columns="skipped").reset_index(drop=True)
    remaps = {source: remap(names, classes, other_classes) for source, names in reading.names.items()}
    contents = [found.digest for found in reading.checked]
    key = fingerprint(
        [classes, contents, table.to_dict("records"), {name: ids.tolist() for name, ids in remaps.items()}]
    )
    pack_photos(building / "photos", table, sources, classes=classes, key=key, workers=workers)
    masked = table[table["has_mask"]]
    if len(masked):
        files = {entry.image_id: entry.instances or str(entry.mask) for entry in reading.entries}
        pack_masks(building / "masks", masked, sources, files, remaps, classes=classes, key=key, workers=workers)
    index.to_parquet(building / "index.parquet", index=False)
    _boxes(reading).to_parquet(building / "boxes.parquet", index=False)
    facts = {
        "name": name,
        "classes": classes,
        "mean_colour": _mean_colour(index, reading.checked),
        "images": table["split"].value_counts(sort=False).to_dict(),
    }
    (building / "dataset.json").write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _describe(sources: Mapping[str, Any], where: str) -> dict[str, Source]:
    if not sources:
        raise InputError(f"{where}.sources: empty; name at least one source")
    described = {}
    for name, settings in sources.items():
        if not isinstance(settings, Mapping):
            raise InputError(f"{where}.sources.{name}: expected keys and values, found {settings!r}")
        described[str(name)] = bind(Source, settings, f"{where}.sources.{name}")
    return described


def _list(name: str, source: Source, scratch: Path) -> Listing:
    if not source.root.is_dir():
        listing = Listing()
        listing.complain(source.root, f"no such folder; correct root of source {name!r}")
        return listing
    if source.layout == "coco":
        return list_coco(name, source, scratch)
    return list_table(name, source) if source.layout == "csv" else list_folders(name, source)


def _check_all(entries: Sequence[Entry], job: Any, workers: int) -> list[Checked]:
    if workers == 1 or len(entries) <= CHUNK:
        return [job(entry) for entry in track(entries, description="checking")]
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("forkserver")) as pool:
        done = pool.map(job, entries, chunksize=CHUNK)
        return list(track(done, description="checking", total=len(entries)))


def _boxes(reading: Reading) -> pd.DataFrame:
    ids = {name: number for number, name in enumerate(reading.classes)}
    rows = [
        (entry.image_id, ids[box.label], *box)
        for entry, found, skipped in zip(reading.entries, reading.checked, reading.index["skipped"], strict=True)
        for box in found.boxes
        if not skipped and box.label in ids
    ]
    kinds = dict.fromkeys(["class_id", "xmin", "ymin", "xmax", "ymax"], "int64") | {"difficult": "bool"}
    return pd.DataFrame(rows, columns=BOX_COLUMNS).astype({"image_id": "str", "label": "str", **kinds})


def _mean_colour(index: pd.DataFrame, checked: Sequence[Checked]) -> list[int]:
    """Mean red, green and blue over the pixels of the images to train on; of all images if there are none."""
    stays = (index["skipped"] == "").to_numpy()
    trained = stays & ~index["split"].isin(HELD_OUT).to_numpy()
    use = trained if trained.any() else stays
    sums = np.array([found.colour for found in checked], np.int64)[use].sum(axis=0)
    pixels = (index["height"] * index["width"]).to_numpy()[use].sum()
    return [int(value) for value in np.rint(sums / pixels)]
