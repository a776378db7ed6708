"""The rows of pictures: chosen images, and what every artifact of the graph says of them."""

from __future__ import annotations

from collections.abc import Sequence

from wsss_core.data.dataset import Dataset
from wsss_core.report.choose import choose_images
from wsss_core.report.page import Row
from wsss_core.report.panels import Panel, mask_uri, store_panels
from wsss_core.report.thumbnails import photo_uri, shown_size, shrink
from wsss_core.stores import Store

Titled = Sequence[tuple[str, Store | None]]


def picture_rows(
    dataset: Dataset, stores: Titled, splits: Sequence[str], *, images: int, seed: int, thumb: int
) -> dict[str, list[Row]]:
    """Choose about `images` images, an equal number of each split, and draw their panels.

    Args:
        stores: title and artifact of each panel, left to right; None where the artifact is not made yet.
        splits: splits to draw from; those that the data set lacks are left out.
        seed: of the choice.
        thumb: longer side of a picture in pixels.
    """
    table = dataset.table
    present = [split for split in splits if split in set(table["split"])]
    rows = {}
    for split in present:
        members = table[table["split"] == split]
        class_ids = {name: list(ids) for name, ids in zip(members["image_id"], members["class_ids"], strict=True)}
        chosen = choose_images(class_ids, -(-images // len(present)), seed=seed)
        rows[split] = named_rows(dataset, stores, chosen, thumb=thumb)
    return rows


def named_rows(dataset: Dataset, stores: Titled, names: Sequence[str], *, thumb: int) -> list[Row]:
    """Draw the panels of these images."""
    table = dataset.table.reset_index().set_index("image_id")
    return [
        _row(dataset, stores, name, int(table.loc[name, "index"]), list(table.loc[name, "class_ids"]), thumb)
        for name in names
    ]


def _row(dataset: Dataset, stores: Titled, image_id: str, number: int, class_ids: list[int], thumb: int) -> Row:
    photo = dataset.photo(number)
    truth = dataset.mask(image_id)
    panels = [
        panel for title, store in stores for panel in store_panels(title, store, image_id, dataset.classes, thumb=thumb)
    ]
    panels.append(Panel("truth", None if truth is None else mask_uri(truth, thumb)))
    small = photo_uri(shrink(photo, thumb, smooth=True))
    return Row(image_id, small, shown_size(photo, thumb), class_ids, panels)
