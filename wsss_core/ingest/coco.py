"""Listing the layout `coco`: folders of photos and a JSON of instances for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from tempfile import NamedTemporaryFile
from typing import Any

from wsss_core.ingest.coco_json import is_complete, read_categories, read_images, read_instances
from wsss_core.ingest.instances import Instance, to_text
from wsss_core.ingest.listing import Entry, Listing, id_of, read_json
from wsss_core.ingest.pictures import IGNORE
from wsss_core.ingest.source import VOC_CLASSES, Source
from wsss_core.ingest.spool import append

IMAGES, ANNOTATIONS, LISTED = "{}", "annotations/instances_{}.json", "{}"
# VOC's names of COCO's categories; the other names that both have are the same.
AS_VOC = {
    "airplane": "aeroplane",
    "motorcycle": "motorbike",
    "couch": "sofa",
    "tv": "tvmonitor",
    "potted plant": "pottedplant",
    "dining table": "diningtable",
}


def list_coco(name: str, source: Source, scratch: Path) -> Listing:
    """The images of a source in layout `coco`, in the order of its splits and of each JSON.

    An image's id is its `file_name` without the suffix. The classes are the categories in the order of the first
    JSON, or what `classes_map` makes of them. Each JSON is read once; its instances then wait in `scratch`.

    Args:
        name: of the source.
        source: its settings.
        scratch: a folder that is kept until all masks are drawn.
    """
    listing = Listing()
    listing.names = VOC_CLASSES if source.classes_map == "voc20" else ()
    for split, listed in source.splits.items():
        _list_split(name, source, split, listed, scratch, listing)
    return listing


def _list_split(name: str, source: Source, split: str, listed: str, scratch: Path, listing: Listing) -> None:
    """Add the images of one JSON, which is let go at the end."""
    folder = (source.images or IMAGES).replace(LISTED, listed)
    relative = (source.annotations or ANNOTATIONS).replace(LISTED, listed)
    file = str(source.root / relative)
    missing = listing.missing(source.root, folder, "folder")
    content = read_json(source.root, relative, listing)
    if missing or content is None or not is_complete(content, file, listing):
        return
    class_ids = _class_ids(read_categories(content, file, listing), file, source, listing)
    if not class_ids:  # else every annotation would be of an unknown category
        return
    images = read_images(content, file, listing)
    if not content["images"]:
        listing.complain(file, f"empty split {split!r}: no image listed; add some or drop the split")
    instances = read_instances(content, images, class_ids, file, listing)
    with NamedTemporaryFile(dir=scratch, delete=False) as spool:
        for image_id, (where, image) in images.items():
            things = instances[image_id]
            entry = Entry(
                image_id=id_of(image["file_name"]),
                source=name,
                split=split,
                where=where,
                photo=str(PurePosixPath(folder, image["file_name"])),
                instances=append(spool, spool.name, to_text(image["height"], image["width"], things)),
                tags=_tags(things, listing.names),
                tags_where=file,
            )
            listing.entries.append(entry)


def _tags(things: Sequence[Instance], names: Sequence[str]) -> tuple[str, ...]:
    """The names of an image's instances, each once; crowds and background have none."""
    named = (names[thing.class_id - 1] for thing in things if thing.class_id and not thing.crowd)
    return tuple(dict.fromkeys(named))


def _class_ids(names: Mapping[Any, str], file: str, source: Source, listing: Listing) -> dict[Any, int]:
    """Class ids in the source's order by category id, 0 for background; empty if there is no class."""
    where = f"{file}:categories"
    if source.classes_map:
        names = {number: AS_VOC.get(name, name) for number, name in names.items()}
    if source.classes_map == "voc20":
        if not set(names.values()) & set(VOC_CLASSES):
            listing.complain(where, "none of VOC's 20 classes; remove classes_map")
            return {}
    else:
        classes = tuple(dict.fromkeys(name for name in names.values() if name != "background"))
        if not 0 < len(classes) < IGNORE:
            listing.complain(where, f"{len(classes)} categories; name 1 to {IGNORE - 1}")
            return {}
        listing.names = listing.names or classes
        differing = set(classes) ^ set(listing.names)
        if differing:
            what = f"{', '.join(map(repr, sorted(differing)))} in this JSON or in the first one only"
            listing.complain(where, f"{what}; name the same categories in all of a source's files")
    ids = {name: number for number, name in enumerate(listing.names, start=1)}
    return {number: ids.get(name, 0) for number, name in names.items()}
