"""Listing the layout `csv`: pictures anywhere below the root and a table `image,label[,split]`."""

from __future__ import annotations

import csv
import io

from wsss_core.ingest.listing import Entry, Listing, class_names, id_of, read_text
from wsss_core.ingest.source import ALL, Source

TABLE, SEPARATOR = "labels.csv", ";"


def list_table(name: str, source: Source) -> Listing:
    """The images of a source in layout `csv`, in the order of its splits and rows.

    An image's id is its path without the suffix. The classes are those of `classes.txt`, else the sorted labels found.
    """
    listing = Listing()
    file = source.root / (source.csv or TABLE)
    listing.names = class_names(source.root, listing)
    rows = _rows(source, listing)
    if source.masks and listing.missing(source.root, source.masks, "folder"):
        return listing
    for split, value in source.splits.items():
        chosen = [(line, row) for line, row in rows if value == ALL or (row.get("split") or "").strip() == value]
        if rows and not chosen:
            what = f"empty split {split!r}: no row with {value!r} in a column `split`; add some or drop the split"
            listing.complain(file, what)
        for line, row in chosen:
            image = (row["image"] or "").strip()
            image_id = id_of(image)
            labels = (label.strip() for label in (row["label"] or "").split(SEPARATOR))
            entry = Entry(
                image_id=image_id,
                source=name,
                split=split,
                where=f"{file}:{line}",
                photo=image,
                mask=f"{source.masks}/{image_id}.png" if source.masks else None,
                tags=tuple(dict.fromkeys(label for label in labels if label)),
                tags_where=f"{file}:{line}",
            )
            listing.entries.append(entry)
    listing.names = listing.names or tuple(
        sorted({tag for entry in listing.entries for tag in entry.tags or ()} - {"background"})
    )
    return listing


def _rows(source: Source, listing: Listing) -> list[tuple[int, dict[str, str | None]]]:
    """The table's rows with their line numbers."""
    relative = source.csv or TABLE
    text = read_text(source.root, relative, listing)
    if text is None:
        return []
    rows: list[tuple[int, dict[str, str | None]]] = []
    reader = csv.DictReader(io.StringIO(text, newline=""), skipinitialspace=True)
    file, header = source.root / relative, list(reader.fieldnames or ())
    if not {"image", "label"} <= set(header):
        found = ", ".join(header) or "missing"
        listing.complain(f"{file}:1", f"columns {found}; the first line must be image,label or image,label,split")
        return rows
    try:
        for row in reader:
            if not (row["image"] or "").strip():
                listing.complain(f"{file}:{reader.line_num}", "no image named; fill the column or remove the row")
            elif None in row:
                what = f"more than {len(header)} columns; separate labels by `{SEPARATOR}`, quote names with commas"
                listing.complain(f"{file}:{reader.line_num}", what)
            else:
                rows.append((reader.line_num, row))
    except csv.Error as error:
        listing.complain(f"{file}:{reader.line_num}", f"not a table ({error}); mend the quotes")
    if not rows and not listing.problems:
        listing.complain(file, "empty split: no row below the header; list the images")
    return rows
