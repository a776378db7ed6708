"""The gallery: one large picture per image, and what every artifact of the graph says of it, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from wsss_core.data.dataset import Dataset
from wsss_core.report.choose import Chosen
from wsss_core.report.panels import Panel, mask_uri, store_panels
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
        absent: captions of the artifacts that do not hold this image.
    """

    number: int
    image_id: str
    class_ids: Sequence[int]
    photo: str
    size: tuple[int, int]
    pictures: list[str]
    steps: list[Step]
    absent: list[str]

    @property
    def start(self) -> int:
        """Where the slider stands at first, 0 = the photo alone: at what was made last, before the truth."""
        return len(self.steps) - (self.steps[-1:] != [] and self.steps[-1].caption == TRUTH)


class Named(NamedTuple):
    """An image under a heading; without a viewer where it is on the page already."""

    image_id: str
    number: int
    note: str
    viewer: Viewer | None


def draw_groups(dataset: Dataset, stores: Titled, chosen: Chosen, *, thumb: int) -> dict[str, list[Named]]:
    """The images under each heading; one that several headings name is drawn under the first.

    Args:
        stores: title and artifact of each step, in their order; None where the artifact is not made yet.
        thumb: longer side of a picture in pixels.
    """
    table = dataset.table.reset_index().set_index("image_id")
    drawn: set[str] = set()
    groups: dict[str, list[Named]] = {}
    for heading, notes in chosen.items():
        groups[heading] = []
        for image_id, note in notes.items():
            number, class_ids = int(table.loc[image_id, "index"]), list(table.loc[image_id, "class_ids"])
            viewer = _viewer(dataset, stores, image_id, number, class_ids, thumb) if image_id not in drawn else None
            groups[heading].append(Named(image_id, number, note, viewer))
            drawn.add(image_id)
    return groups


def _viewer(dataset: Dataset, stores: Titled, image_id: str, number: int, class_ids: list[int], thumb: int) -> Viewer:
    photo, truth = dataset.photo(number), dataset.mask(image_id)
    panels = [
        panel for title, store in stores for panel in store_panels(title, store, image_id, dataset.classes, thumb=thumb)
    ]
    panels.append(Panel(TRUTH, None if truth is None else mask_uri(truth, thumb)))
    held = [(panel.caption, panel.uri) for panel in panels if panel.uri is not None]
    pictures = list(dict.fromkeys(uri for _, uri in held))
    captions = {caption for caption, _ in held}
    return Viewer(
        number,
        image_id,
        class_ids,
        photo_uri(shrink(photo, thumb, smooth=True)),
        shown_size(photo, thumb),
        pictures,
        [Step(caption, pictures.index(uri)) for caption, uri in held],
        [panel.caption for panel in panels if panel.caption not in captions],
    )
