"""What lies in a user's folder: the settings of `ingest` that fit it, found by looking."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from wsss_core.stage import InputError

TRAIN_LISTS = ("train_aug", "trainaug", "train")
MASK_FOLDERS = ("SegmentationClassAug", "SegmentationClass")


def describe_source(root: Path, *, lone_split: str) -> dict[str, Any]:
    """The source at `root` for the section `ingest`: a table of photos, a VOC layout with whatever it has, or COCO's.

    Args:
        root: the folder.
        lone_split: the split of all photos where the folder names none itself.

    Raises:
        InputError: neither a labels.csv nor a folder JPEGImages nor annotations/instances_*.json, or a list of
            val without one to train on.
    """
    if (root / "labels.csv").is_file():
        return {"root": str(root), "layout": "csv", "splits": _table_splits(root / "labels.csv", lone_split)}
    if not (root / "JPEGImages").is_dir():
        found = sorted(path.stem.removeprefix("instances_") for path in root.glob("annotations/instances_*.json"))
        if found:
            return _coco(root, found, lone_split)
        looked_for = "labels.csv nor a folder JPEGImages nor annotations/instances_*.json"
        raise InputError(f"{root}: neither {looked_for} here; see README, Your own photos")
    lists = root / "ImageSets/Segmentation"
    train = next((name for name in TRAIN_LISTS if (lists / f"{name}.txt").is_file()), None)
    splits = {} if train is None else {lone_split: train}
    if (lists / "val.txt").is_file():
        if train is None:
            wanted = ", ".join(f"{name}.txt" for name in TRAIN_LISTS)
            raise InputError(f"{lists}: val.txt, but no list to train on; add one of {wanted}")
        splits["val"] = "val"
    masks = next((name for name in MASK_FOLDERS if (root / name).is_dir()), None)
    source = {"root": str(root), "layout": "voc", "tags": _tags(root), "splits": splits or {lone_split: "*"}}
    return source if masks is None else {**source, "masks": masks}


def describe_easy(root: Path) -> dict[str, Any]:
    """The source of further photos, tags only, all in the split `easy`, also where `root` has lists of its own.

    Raises:
        InputError: see `describe_source`.
    """
    source = describe_source(root, lone_split="easy")
    if source.get("tags") != "masks":
        source.pop("masks", None)
    return {**source, "splits": {"easy": source["splits"].get("easy", "*")}}


def _coco(root: Path, lists: list[str], lone_split: str) -> dict[str, Any]:
    """COCO's layout; of several years the last one whose pictures are there."""
    images = "{}" if any((root / name).is_dir() for name in lists) else "images/{}"
    there = [name for name in lists if (root / images.format(name)).is_dir()] or lists
    known = {"train": lone_split, "val": "val"}
    splits = {split: name for start, split in known.items() for name in there if name.startswith(start)}
    source = {"root": str(root), "layout": "coco", "splits": splits or {lone_split: there[-1]}}
    return source if images == "{}" else {**source, "images": images}


def _tags(root: Path) -> str:
    if (root / "image_labels.json").is_file():
        return "json"
    return "xml" if (root / "Annotations").is_dir() else "masks"


def _table_splits(table: Path, lone_split: str) -> dict[str, str]:
    """The values of the table's column `split`, each under its own name."""
    try:
        with open(table, encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file, skipinitialspace=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{table}: not a table in UTF-8 ({error}); save it as CSV UTF-8") from None
    found = [(row.get("split") or "").strip() for row in rows]
    if not any(found):
        return {lone_split: "*"}
    if not all(found):
        raise InputError(
            f"{table}:{found.index('') + 2}: no split, but other rows have one; fill the column everywhere"
        )
    return {split: split for split in sorted(set(found))}
