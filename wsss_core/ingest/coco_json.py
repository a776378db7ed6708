"""What stands in a JSON of COCO's form: categories, images, instances, each entry checked before it is used."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from wsss_core.ingest.instances import Instance
from wsss_core.ingest.listing import Listing

ID = (int, float, str)
NEEDED: dict[str, dict[str, Any]] = {
    "images": {"id": ID, "file_name": str, "height": int, "width": int},
    "annotations": {"image_id": ID, "category_id": ID},
    "categories": {"id": ID, "name": str},
}


def is_complete(content: Any, file: str, listing: Listing) -> bool:
    """Whether the three lists are there; complains about each that is not."""
    missing = [key for key in NEEDED if not (isinstance(content, dict) and isinstance(content.get(key), list))]
    for key in missing:
        listing.complain(file, f"no list `{key}`; give a file of instances: images, annotations and categories")
    return not missing


def read_categories(content: Mapping[str, list], file: str, listing: Listing) -> dict[Any, str]:
    """Category names by category id, in the file's order."""
    names: dict[Any, str] = {}
    for where, _, record in _usable(content, "categories", file, listing):
        if record["id"] in names or record["name"] in names.values():
            what = (
                f"category {record['id']!r}, {record['name']!r}: its id or name stands twice; give each one of its own"
            )
            listing.complain(where, what)
        names.setdefault(record["id"], record["name"])
    return names


def read_images(content: Mapping[str, list], file: str, listing: Listing) -> dict[Any, tuple[str, dict[str, Any]]]:
    """Where it stands and the entry of every image by image id, in the file's order."""
    images: dict[Any, tuple[str, dict[str, Any]]] = {}
    for where, _, record in _usable(content, "images", file, listing):
        first, _ = images.setdefault(record["id"], (where, record))
        if first != where:
            listing.complain(where, f"duplicate image id {record['id']!r}, also at {first}; give each an id of its own")
    return images


def read_instances(
    content: Mapping[str, list], images: Collection[Any], class_ids: Mapping[Any, int], file: str, listing: Listing
) -> dict[Any, list[Instance]]:
    """Every image's instances by image id.

    Args:
        images: the known image ids.
        class_ids: in the source's order, by category id; 0 for what counts as background.
    """
    instances: dict[Any, list[Instance]] = {image_id: [] for image_id in images}
    for where, number, record in _usable(content, "annotations", file, listing):
        image_id, category_id, crowd = record["image_id"], record["category_id"], record.get("iscrowd", 0)
        if image_id not in instances:
            listing.complain(where, f"unknown image_id {image_id!r}; correct it or remove the annotation")
        if category_id not in class_ids:
            listing.complain(where, f"unknown category_id {category_id!r}; correct it or remove the annotation")
        if crowd not in (0, 1):
            listing.complain(where, f"iscrowd is {crowd!r}; write 0 or 1")
        if image_id in instances and category_id in class_ids:
            instance = Instance(
                number, class_ids[category_id], bool(crowd), record.get("bbox"), record.get("segmentation")
            )
            instances[image_id].append(instance)
    return instances


def _usable(
    content: Mapping[str, list], key: str, file: str, listing: Listing
) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """Where it stands, number and entry of everything in a list that has the keys it needs."""
    for number, record in enumerate(content[key]):
        where = f"{file}:{key}[{number}]"
        if not isinstance(record, dict):
            listing.complain(where, "expected keys and values; correct or remove it")
            continue
        wrong = [name for name, kind in NEEDED[key].items() if not isinstance(record.get(name), kind)]
        if wrong:
            listing.complain(where, f"no usable {', '.join(wrong)}; correct or remove the entry")
        else:
            yield where, number, record
