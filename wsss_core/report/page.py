"""The page: one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from wsss_core.report.budget import Spent, unequal
from wsss_core.report.chart import FRAME, Chart
from wsss_core.report.claims import Judged
from wsss_core.report.gallery import Named
from wsss_core.report.palette import css_colour
from wsss_core.report.ranking import Bar, Ranked
from wsss_core.report.reference import PAPERS, SEVEN
from wsss_core.report.tables import Table


@dataclass(frozen=True)
class Split:
    """A split's name, its number of images, and how many of them have a mask."""

    name: str
    images: int
    masks: int


@dataclass(frozen=True)
class Page:
    """Everything on the page, top to bottom.

    Attributes:
        classes: names of all class ids, background first.
        runs: names of the runs, in the order of the graph.
        budget: what every method's main run was trained with.
        ranking: all runs over their seeds, by split.
        class_bars: the main runs' bars by split and class.
        figures: further numbers by heading, such as those of the saliency detector.
        claims: the papers' claims with their verdicts.
        gallery, worst: images by heading.
    """

    classes: Sequence[str]
    splits: list[Split]
    runs: list[str]
    budget: Mapping[str, Spent]
    ranking: Mapping[str, list[Ranked]]
    class_bars: Mapping[str, Mapping[str, list[Bar]]]
    masks_tables: list[Table]
    run_tables: list[Table]
    label_tables: list[Table]
    erasing_tables: list[Table]
    step_tables: list[Table]
    combination_tables: list[Table]
    figures: Mapping[str, Mapping[str, Any]]
    charts: list[Chart]
    claims: list[Judged]
    gallery: Mapping[str, list[Named]]
    worst: Mapping[str, list[Named]]


def count_splits(table: pd.DataFrame) -> list[Split]:
    """Images and masks per split, from a data set's table, in its order."""
    counts = table.groupby("split", sort=False)["has_mask"].agg(["size", "sum"])
    return [Split(str(split), int(images), int(masks)) for split, images, masks in counts.itertuples()]


def environment() -> Environment:
    """Templates from this folder, every name in them escaped."""
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(page: Page) -> str:
    """The page as HTML. Every name is escaped; styles, script and pictures are in the file itself."""
    return (
        environment()
        .get_template("page.html")
        .render(
            page=page,
            colours=[css_colour(class_id) for class_id in range(len(page.classes))],
            papers=PAPERS,
            seven=SEVEN,
            frame=FRAME,
            unequal=unequal(list(page.budget.values())),
        )
    )
