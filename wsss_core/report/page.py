"""The page: one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from wsss_core.report.chart import FRAME, Chart
from wsss_core.report.palette import css_colour
from wsss_core.report.panels import Panel
from wsss_core.report.reference import PAPERS, SEVEN
from wsss_core.report.tables import Table


@dataclass(frozen=True)
class Split:
    """A split's name, its number of images, and how many of them have a mask."""

    name: str
    images: int
    masks: int


@dataclass(frozen=True)
class Row:
    """One chosen image: its photo as a data URI, its present classes' ids, its panels."""

    image_id: str
    photo: str
    size: tuple[int, int]
    class_ids: Sequence[int]
    panels: list[Panel]


@dataclass(frozen=True)
class Page:
    """Everything on the page, top to bottom.

    Attributes:
        classes: names of all class ids, background first.
        runs: names of the runs, in the order of the graph.
        figures: further numbers by heading, such as those of the saliency detector.
        pictures: the chosen images by heading, which is a split or what is special about them.
    """

    classes: Sequence[str]
    splits: list[Split]
    runs: list[str]
    run_tables: list[Table]
    label_tables: list[Table]
    erasing_tables: list[Table]
    step_tables: list[Table]
    figures: Mapping[str, Mapping[str, Any]]
    charts: list[Chart]
    pictures: Mapping[str, list[Row]]


def count_splits(table: pd.DataFrame) -> list[Split]:
    """Images and masks per split, from a data set's table, in its order."""
    counts = table.groupby("split", sort=False)["has_mask"].agg(["size", "sum"])
    return [Split(str(split), int(images), int(masks)) for split, images, masks in counts.itertuples()]


def render(page: Page) -> str:
    """The page as HTML. Every name is escaped; styles, script and pictures are in the file itself."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html").render(
        page=page,
        colours=[css_colour(class_id) for class_id in range(len(page.classes))],
        papers=PAPERS,
        seven=SEVEN,
        frame=FRAME,
    )
