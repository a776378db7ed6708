"""Stage `report`: every figure, chart and picture on one page, and the small files that DVC shows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wsss_core.data.dataset import Dataset
from wsss_core.report.page import Page, Row, count_splits, render
from wsss_core.report.pictures import Titled, named_rows, picture_rows
from wsss_core.report.plots import curve_table, draw, iterations_table, loss_table, shares_table
from wsss_core.report.results import Evaluation, metrics, read_evaluations, read_figures, summary
from wsss_core.report.steps import step_charts, step_tables
from wsss_core.report.supervision import by_masks, masks_table
from wsss_core.report.tables import erasing_tables, label_tables, run_tables
from wsss_core.stage import bind, load_params, section, whole_file, whole_folder
from wsss_core.stage.command import run
from wsss_core.stores import Store, open_store
from wsss_core.stores.layout import MEANING


@dataclass(frozen=True, kw_only=True)
class Report:
    """Section `report`.

    Attributes:
        images: pictures on the page, in equal numbers from `splits`.
        seed: of their choice.
        thumb: longer side of a picture in pixels.
    """

    images: int = 12
    splits: tuple[str, ...] = ("val", "train")
    seed: int = 0
    thumb: int = 160

    def __post_init__(self) -> None:
        if self.images < 0:
            raise ValueError(f"images must be at least 0, got {self.images}")
        if not 16 <= self.thumb <= 1024:
            raise ValueError(f"thumb must be in [16, 1024], got {self.thumb}")


def main(*, out: Path, rows: Path = Path("stages/rows.yaml"), data: Path = Path("data")) -> None:
    """Write `index.html`, `metrics.json`, `summary.json` and `plots/` below `out`.

    Args:
        out: the folder in which the stage evaluate has put `runs/`, `labels/`, `curves/` and `erasing/`.
        rows: the wiring rows; what they do not name is not shown.
        data: the folder of the artifacts.
    """
    settings = bind(Report, section(load_params(), "report"), "report")
    wiring = load_params(rows)
    evaluations = read_evaluations(section(wiring, "evaluations", path=rows), out)
    runs = list(section(wiring, "segmenters", path=rows))
    em_runs = section(wiring, "em_runs", path=rows)
    tagged = [name for name, row in em_runs.items() if row["strong"] == 0]
    tables = {
        "loss": loss_table(runs, data / "segmenters"),
        "shares": shares_table(em_runs, data / "segmenters"),
        "curve": curve_table(evaluations),
        "iterations": iterations_table(evaluations, "val"),
    }
    dataset = Dataset(data / "dataset")
    trained_on = dataset.table["split"].isin(dataset.training_splits)
    chains = section(wiring, "chains", path=rows)
    masks = by_masks(em_runs, evaluations, "val", masks=int(dataset.table["has_mask"][trained_on].sum()))
    stores = [(panel["title"], _store_if_made(data / panel["store"])) for panel in wiring["panels"]]
    saliency = [(title, store) for title, store in stores if store is not None and "saliency" in store.arrays]
    page = Page(
        classes=dataset.classes,
        splits=count_splits(dataset.table),
        runs=runs,
        run_tables=[*run_tables(evaluations), *masks_table(masks, "val")],
        label_tables=label_tables(evaluations),
        erasing_tables=erasing_tables(evaluations),
        step_tables=step_tables(chains, evaluations),
        figures=read_figures(
            {"Saliency detector": data / "saliency_net", "Easy images": data / "select_easy"}
            | {f"CRF of {name}": data / f"crf_search/{name}" for name in section(wiring, "crf_searches", path=rows)}
        ),
        charts=[*draw(**tables, masks=masks, tagged=tagged), *step_charts(chains, evaluations)],
        pictures=picture_rows(
            dataset, stores, settings.splits, images=settings.images, seed=settings.seed, thumb=settings.thumb
        )
        | _erased(dataset, saliency, evaluations, thumb=settings.thumb),
    )
    _write_text(out / "index.html", render(page))
    _write_json(out / "metrics.json", metrics(evaluations))
    _write_json(out / "summary.json", summary(evaluations))
    with whole_folder(out / "plots") as building:
        for name, table in tables.items():
            table.to_csv(building / f"{name}.csv", index=False, lineterminator="\n")


def _erased(dataset: Dataset, stores: Titled, evaluations: list[Evaluation], *, thumb: int) -> dict[str, list[Row]]:
    """The images of val that erasing helped most and hurt most."""
    found = next((e.splits["val"] for e in evaluations if e.kind == "erasing" and "val" in e.splits), None)
    if found is None:
        return {}
    headings = {"helped": "val, where erasing helped most", "hurt": "val, where erasing hurt most"}
    return {
        heading: named_rows(dataset, stores, found[key], thumb=thumb) for key, heading in headings.items() if found[key]
    }


def _store_if_made(path: Path) -> Store | None:
    return open_store(path) if (path / MEANING).is_file() else None


def _write_json(path: Path, values: dict[str, Any]) -> None:
    _write_text(path, json.dumps(values, indent=1, ensure_ascii=False) + "\n")


def _write_text(path: Path, text: str) -> None:
    with whole_file(path) as building:
        building.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    run(main, "report")
