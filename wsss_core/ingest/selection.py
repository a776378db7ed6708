"""Which classes and images of the sources the data set holds, and the table that says so."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from wsss_core.ingest.check import Checked
from wsss_core.ingest.listing import HELD_OUT, Entry, Listing
from wsss_core.ingest.pictures import IGNORE
from wsss_core.ingest.problems import Problem

OUTSIDE = "no label of the chosen classes"


def choose_classes(
    listings: Mapping[str, Listing], classes: Sequence[str] | None, where: str
) -> tuple[tuple[str, ...], list[Problem]]:
    """The data set's classes, without background, in the order of their ids; by default the first source's.

    Args:
        listings: by source.
        classes: names to keep.
        where: the settings' key, for messages.
    """
    chosen = tuple(next(iter(listings.values())).names if classes is None else classes)
    known = sorted({name for listing in listings.values() for name in listing.names})
    wrong = []
    if len(chosen) >= IGNORE:
        wrong.append(f"{len(chosen)} classes; at most {IGNORE - 1} fit, choose some by `classes`")
    if classes is not None and not chosen:
        wrong.append("empty; name some classes, or null for all")
    wrong += [f"{name!r} stands twice; name it once" for name in dict.fromkeys(chosen) if chosen.count(name) > 1]
    for name in dict.fromkeys(chosen):
        if name == "background":
            wrong.append("background is always there; leave it out")
        elif name not in known and all(listing.names for listing in listings.values()):  # else its source was not read
            close = difflib.get_close_matches(name, known, n=1)
            wrong.append(
                f"{name!r} is in no source; {f'did you mean {close[0]}?' if close else 'known: ' + ', '.join(known)}"
            )
    return chosen, [Problem(where, what) for what in wrong]


def unique_entries(listings: Mapping[str, Listing]) -> tuple[list[Entry], list[Problem]]:
    """All sources' images in reading order, each id once, and the ids that stand twice."""
    first: dict[str, Entry] = {}
    problems = []
    for entry in (entry for listing in listings.values() for entry in listing.entries):
        before = first.setdefault(entry.image_id, entry)
        if before is not entry:
            what = f"duplicate id {entry.image_id!r}, in split {before.split!r} at {before.where}"
            problems.append(Problem(entry.where, f"{what}; remove one, or rename the file"))
    return list(first.values()), problems


def index_table(entries: Sequence[Entry], checked: Sequence[Checked], classes: Sequence[str]) -> pd.DataFrame:
    """One row per image in reading order; `skipped` says why one is left out, `row` counts those that stay (else -1).

    An image to train on that has labels, but none of the chosen ones, is left out; in `val` and `test` it stays,
    since background is evaluated too, and may have no labels at all.
    """
    ids = {name: number for number, name in enumerate(classes, start=1)}
    rows = []
    for entry, found in zip(entries, checked, strict=True):
        class_ids = sorted(ids[tag] for tag in found.tags if tag in ids)
        skipped = "; ".join(problem.what for problem in found.problems)
        if not skipped and not class_ids and entry.split not in HELD_OUT:
            skipped = OUTSIDE
        rows.append(
            {
                "image_id": entry.image_id,
                "row": -1,
                "split": entry.split,
                "source": entry.source,
                "file": entry.photo,
                "height": found.height,
                "width": found.width,
                "labels": [classes[number - 1] for number in class_ids],
                "class_ids": class_ids,
                "n_classes": len(class_ids),
                "n_labels": len(class_ids) + 1,
                "n_bytes": found.n_bytes,
                "has_mask": found.has_mask,
                "skipped": skipped,
            }
        )
    table = pd.DataFrame(rows)
    stays = table["skipped"] == ""
    table.loc[stays, "row"] = np.arange(stays.sum())
    return table


def empty_splits(index: pd.DataFrame, where: str) -> list[Problem]:
    """Splits of which no image is left."""
    left = set(index.loc[index["skipped"] == "", "split"])
    problems = []
    for split, rows in index.groupby("split", sort=False):
        if split not in left:
            reason = rows["skipped"].iloc[0]
            what = f"empty split {split!r}: all of its {len(rows)} images are skipped, the first one for: {reason}"
            problems.append(Problem(where, what))
    return problems


def remap(names: Sequence[str], classes: Sequence[str], other_classes: str) -> np.ndarray:
    """From a source's class ids to the data set's, uint8 (256,): index by a mask to translate it.

    Args:
        names: the source's classes, without background.
        classes: the data set's classes, background first.
        other_classes: `background` or `ignore`, for the classes that are not among them.
    """
    other = IGNORE if other_classes == "ignore" else 0
    table = np.full(256, IGNORE, np.uint8)
    table[0] = 0
    for number, name in enumerate(names, start=1):
        table[number] = classes.index(name) if name in classes else other
    return table
