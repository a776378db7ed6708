"""Listing the layouts `voc` and `saliency`: a folder of photos, lists of image ids, masks and labels beside them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from wsss_core.ingest.listing import HELD_OUT, Entry, Listing, class_names, read_json, read_text
from wsss_core.ingest.source import ALL, VOC_CLASSES, Source

PHOTOS, ANNOTATIONS, TAGS_JSON = "JPEGImages", "Annotations", "image_labels.json"
LISTS = {"voc": "ImageSets/Segmentation", "saliency": "ImageSets"}
MASKS = {"voc": "SegmentationClass", "saliency": "SaliencyMasks"}
SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"}
# "/JPEGImages/2007_000032.jpg /SegmentationClassAug/2007_000032.png", the second path optional
PATHS = re.compile(r"/?(\S.*?\.(?:jpe?g|png|bmp|webp|tiff?))(?:\s+/?(\S.*\.png))?", re.IGNORECASE)


def list_folders(name: str, source: Source) -> Listing:
    """The images of a source in layout `voc` or `saliency`, in the order of its splits and lists."""
    root, saliency = source.root, source.layout == "saliency"
    listing = Listing()
    listing.names = ("salient",) if saliency else class_names(root, listing) or VOC_CLASSES
    tags_in = None if saliency else source.tags or "xml"
    masks = source.masks or MASKS[source.layout]
    needed = {PHOTOS: True, masks: saliency or source.masks, ANNOTATIONS: tags_in == "xml"}
    folders = [folder for folder, must in needed.items() if must or (root / folder).exists()]
    unusable = [folder for folder in folders if listing.missing(root, folder, "folder")]
    if unusable:
        return listing
    files = _photos_by_id(root, listing)
    tags = _json_tags(root, listing) if tags_in == "json" else {}
    for split, listed in source.splits.items():
        tags_in_mask = tags_in == "masks" and split not in HELD_OUT
        for where, image_id, photo, paired in _listed(source, split, listed, files, listing):
            entry = Entry(
                image_id=image_id,
                source=name,
                split=split,
                where=where,
                photo=photo,
                mask=f"{masks}/{image_id}.png" if source.masks or not paired else paired,
                needs_mask=saliency or tags_in_mask or (paired is not None and not source.masks),
                annotation=None if saliency else f"{ANNOTATIONS}/{image_id}.xml",
                tags=("salient",) if saliency else tags.get(image_id, ()) if tags_in == "json" else None,
                tags_where=str(root / TAGS_JSON) if tags_in == "json" else where,
            )
            listing.entries.append(entry)
    return listing


def _photos_by_id(root: Path, listing: Listing) -> dict[str, str]:
    """File names in the folder of photos by image id, in sorted order."""
    files: dict[str, str] = {}
    for path in sorted((root / PHOTOS).iterdir()):
        if path.suffix.lower() not in SUFFIXES or path.name.startswith("."):
            continue
        if path.stem in files:
            what = f"duplicate id {path.stem!r}, also of {files[path.stem]}; rename or remove one of the two"
            listing.complain(path, what)
        files.setdefault(path.stem, path.name)
    return files


def _listed(
    source: Source, split: str, listed: str, files: dict[str, str], listing: Listing
) -> Iterator[tuple[str, str, str, str | None]]:
    """Where it stands, image id, photo and paired mask (if the list has one) of every image of a split."""
    root = source.root
    if listed == ALL:
        for image_id, file in files.items():
            yield str(root / PHOTOS / file), image_id, f"{PHOTOS}/{file}", None
        if not files:
            listing.complain(
                root / PHOTOS, f"empty split {split!r}: no photo in the folder; add some or drop the split"
            )
        return
    relative = f"{LISTS[source.layout]}/{listed}.txt"
    text = read_text(root, relative, listing)
    if text is not None and not text.strip():
        listing.complain(root / relative, f"empty split {split!r}: no image listed; add some or drop the split")
    for number, line in enumerate((text or "").splitlines(), start=1):
        words = line.strip()
        paths = None if words in files else PATHS.fullmatch(words)
        if paths:
            photo = paths[1] if "/" in paths[1] else f"{PHOTOS}/{paths[1]}"
            yield f"{root / relative}:{number}", PurePosixPath(photo).stem, photo, paths[2]
        elif words:
            yield f"{root / relative}:{number}", words, f"{PHOTOS}/{files.get(words, f'{words}.jpg')}", None


def _json_tags(root: Path, listing: Listing) -> dict[str, tuple[str, ...]]:
    """Labels by image id from `image_labels.json`."""
    tags = read_json(root, TAGS_JSON, listing)
    if tags is None:
        return {}
    good = isinstance(tags, dict) and all(
        isinstance(names, list) and all(isinstance(name, str) for name in names) for names in tags.values()
    )
    if not good:
        listing.complain(root / TAGS_JSON, 'expected {"image id": ["label", ...], ...}; write the file in this form')
        return {}
    return {image_id: tuple(dict.fromkeys(names)) for image_id, names in tags.items()}
