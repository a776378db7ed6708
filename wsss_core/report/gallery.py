"""The gallery: one large picture per image, and what every artifact of the graph says of it, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from wsss_core.data.dataset import Dataset
from wsss_core.report.choose import Chosen
from wsss_core.report.panels import Panel, mask_uri, store_panels
from wsss_core.report.ranking import Ranked
from wsss_core.report.thumbnails import photo_uri, shown_size, shrink
from wsss_core.stores import Store

Titled = Sequence[tuple[str, Store | None]]
TRUTH = "truth"


class Step(NamedTuple):
    """A place of an image's slider: its caption, and which of the pictures lies over the photo."""

    caption: str
    picture: int


@dataclass(frozen=True)
class Viewer:
    """One image: its place in the data set, its photo, the pictures to lay over it.

    Attributes:
        size: width and height on the page, in pixels.
        pictures: data URIs, each once; several steps may show the same.
        absent: captions of the artifacts that do not hold this image, each once.
        start: where the slider stands at first, 0 = the photo alone.
    """

    number: int
    image_id: str
    class_ids: Sequence[int]
    photo: str
    size: tuple[int, int]
    pictures: list[str]
    steps: list[Step]
    absent: list[str]
    start: int


class Named(NamedTuple):
    """An image under a heading; without a viewer where it is on the page already."""

    image_id: str
    number: int
    note: str
    viewer: Viewer | None


def opened_at(stores: Sequence[str], main: Sequence[str], ranked: Sequence[Ranked]) -> int:
    """Place of the store that the sliders show at first: the predictions of the best main run.

    Args:
        stores: names of the artifacts that are shown, in their order.
        main: the methods' main runs.
        ranked: all runs, the best first; where no main run is among them the last in `main` stands for the best.

    Returns:
        An index into `stores`, the last where no main run is shown.
    """
    best = next((run.name for run in ranked if run.name in main), main[-1] if main else None)
    return stores.index(f"predictions/{best}") if f"predictions/{best}" in stores else len(stores) - 1


def draw_groups(dataset: Dataset, stores: Titled, chosen: Chosen, *, thumb: int, opened: int) -> dict[str, list[Named]]:
    """The images under each heading; one that several headings name is drawn under the first.

    Args:
        stores: title and artifact of each step, in their order; None where the artifact is not made yet.
        thumb: longer side of a picture in pixels.
        opened: place in `stores` of what the sliders show at first; where it does not hold an image, the last before
            that does, such as the labels that the network learnt from.
    """
    table = dataset.table.reset_index().set_index("image_id")
    drawn: set[str] = set()
    groups: dict[str, list[Named]] = {}
    for heading, notes in chosen.items():
        groups[heading] = []
        for image_id, note in notes.items():
            number, class_ids = int(table.loc[image_id, "index"]), list(table.loc[image_id, "class_ids"])
            viewer = None
            if image_id not in drawn:
                viewer = _viewer(dataset, stores, image_id, number, class_ids, thumb, opened)
            groups[heading].append(Named(image_id, number, note, viewer))
            drawn.add(image_id)
    return groups


def _viewer(
    dataset: Dataset, stores: Titled, image_id: str, number: int, class_ids: list[int], thumb: int, opened: int
) -> Viewer:
    photo, truth = dataset.photo(number), dataset.mask(image_id)
    by_store = [store_panels(title, store, image_id, dataset.classes, thumb=thumb) for title, store in stores]
    by_store.append([Panel(TRUTH, None if truth is None else mask_uri(truth, thumb))])
    held = [[(panel.caption, panel.uri) for panel in panels if panel.uri is not None] for panels in by_store]
    steps = [step for each in held for step in each]
    pictures = list(dict.fromkeys(uri for _, uri in steps))
    captions = {caption for caption, _ in steps}
    absent = dict.fromkeys(panel.caption for panels in by_store for panel in panels if panel.caption not in captions)
    holding = [place for place, each in enumerate(held[: opened + 1]) if each]
    return Viewer(
        number,
        image_id,
        class_ids,
        photo_uri(shrink(photo, thumb, smooth=True)),
        shown_size(photo, thumb),
        pictures,
        [Step(caption, pictures.index(uri)) for caption, uri in steps],
        list(absent),
        1 + sum(map(len, held[: holding[-1]])) if holding else 0,
    )
