"""Stage `report`: every figure, chart and picture on one page, and the small files that DVC shows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wsss_core.data.budget import Budget
from wsss_core.data.dataset import Dataset
from wsss_core.report.budget import main_runs, spent_by_method
from wsss_core.report.choose import choose_drawn, choose_erased, choose_worst
from wsss_core.report.claim_list import CLAIMS
from wsss_core.report.claims import as_json, judge
from wsss_core.report.combinations import combination_tables
from wsss_core.report.costs import read_costs, write_costs
from wsss_core.report.figures import Figures
from wsss_core.report.gallery import Named, draw_groups, opened_at
from wsss_core.report.page import Page, count_splits, render
from wsss_core.report.plots import curve_table, draw, iterations_table, loss_table, shares_table
from wsss_core.report.ranking import class_bars, ranking
from wsss_core.report.results import Evaluation, metrics, read_evaluations, read_figures, summary
from wsss_core.report.steps import step_charts, step_tables
from wsss_core.report.supervision import by_masks, masks_table
from wsss_core.report.tables import erasing_tables, label_tables, run_tables
from wsss_core.report.wired import Wired
from wsss_core.stage import bind, load_params, section, whole_file, whole_folder
from wsss_core.stage.command import run
from wsss_core.stores import Store, open_store
from wsss_core.stores.layout import MEANING


@dataclass(frozen=True, kw_only=True)
class Report:
    """Section `report`.

    Attributes:
        images: drawn for the gallery, in equal numbers from `splits`.
        seed: of their choice.
        thumb: longer side of a picture in pixels.
    """

    images: int = 12
    splits: tuple[str, ...] = ("val", "train")
    seed: int = 0
    thumb: int = 400

    def __post_init__(self) -> None:
        if self.images < 0:
            raise ValueError(f"images must be at least 0, got {self.images}")
        if not 16 <= self.thumb <= 1024:
            raise ValueError(f"thumb must be in [16, 1024], got {self.thumb}")


def main(*, out: Path, rows: Path = Path("stages/rows.yaml"), data: Path = Path("data")) -> None:
    """Write `index.html`, `metrics.json`, `claims.json`, `summary.json` and `plots/` below `out`.

    Beside them it leaves `costs.html` and `costs.json`, which are no outputs of the graph: a clock never repeats.

    Args:
        out: the folder in which the stage evaluate has put `runs/`, `labels/`, `curves/` and `erasing/`.
        rows: the wiring rows; what they do not name is not shown.
        data: the folder of the artifacts.
    """
    params, wired = load_params(), Wired.read(rows)
    settings = bind(Report, section(params, "report"), "report")
    budget = bind(Budget, section(params, "budget"), "budget")
    dataset, segmenters = Dataset(data / "dataset"), data / "segmenters"
    evaluations = read_evaluations(wired.evaluations, out)
    tables = {
        "loss": loss_table(wired.runs, segmenters),
        "shares": shares_table(wired.em_runs, segmenters),
        "curve": curve_table(evaluations),
        "iterations": iterations_table(evaluations, "val"),
    }
    trained_on = dataset.table["split"].isin(dataset.training_splits)
    masks = by_masks(wired.em_runs, evaluations, "val", masks=int(dataset.table["has_mask"][trained_on].sum()))
    claims = judge(CLAIMS, Figures(evaluations, wired.chains, wired.em_runs.values()))
    scored = main_runs([e.name for e in evaluations if e.kind == "runs" and e.splits], wired.main)
    ranked = ranking(evaluations)
    charts = draw(**tables, masks=masks, main=wired.main, online=[r for r in wired.em_runs if _shown(r, wired)])
    gallery, worst = _pictures(settings, wired, dataset, evaluations, scored, data)
    page = Page(
        classes=dataset.classes,
        splits=count_splits(dataset.table),
        runs=wired.runs,
        budget=spent_by_method(wired.runs, segmenters, budget, wired.main, wired.networks),
        ranking=ranked,
        class_bars={split: class_bars(found, list(scored.values())) for split, found in ranked.items()},
        masks_tables=masks_table(masks, "val"),
        run_tables=run_tables(evaluations),
        label_tables=label_tables(evaluations),
        erasing_tables=erasing_tables(evaluations),
        step_tables=step_tables(wired.chains, evaluations),
        combination_tables=combination_tables(wired.combined, evaluations, "val"),
        figures=read_figures(
            {"Saliency detector": data / "saliency_net", "Easy images": data / "select_easy"}
            | {f"CRF of {name}": data / f"crf_search/{name}" for name in wired.searches}
        ),
        charts=[*charts, *step_charts(wired.chains, evaluations)],
        claims=claims,
        gallery=gallery,
        worst=worst,
    )
    _write_text(out / "index.html", render(page))
    _write_json(out / "metrics.json", metrics(evaluations))
    _write_json(out / "claims.json", as_json(claims))
    _write_json(out / "summary.json", summary(evaluations))
    with whole_folder(out / "plots") as building:
        for name, table in tables.items():
            table.to_csv(building / f"{name}.csv", index=False, lineterminator="\n")
    write_costs(read_costs(), out)


def _pictures(
    settings: Report,
    wired: Wired,
    dataset: Dataset,
    evaluations: Sequence[Evaluation],
    scored: Mapping[str, str],
    data: Path,
) -> tuple[dict[str, list[Named]], dict[str, list[Named]]]:
    """The images of the gallery and the worst of every method's main run, `scored`, by heading; each is drawn once."""
    drawn = choose_drawn(dataset, settings.splits, images=settings.images, seed=settings.seed)
    drawn |= choose_erased(evaluations, "val")
    worst = choose_worst(evaluations, "val", scored)
    stores = [(panel["title"], _store_if_made(data / panel["store"])) for panel in wired.panels]
    main = scored or main_runs(wired.runs, wired.main)
    opened = opened_at(wired.shown, list(main.values()), ranking(evaluations).get("val", []))
    pictures = draw_groups(dataset, stores, drawn | worst, thumb=settings.thumb, opened=opened)
    return {heading: pictures[heading] for heading in drawn}, {heading: pictures[heading] for heading in worst}


def _shown(run: str, wired: Wired) -> bool:
    return f"predictions/{run}" in wired.shown


def _store_if_made(path: Path) -> Store | None:
    return open_store(path) if (path / MEANING).is_file() else None


def _write_json(path: Path, values: Any) -> None:
    _write_text(path, json.dumps(values, indent=1, ensure_ascii=False) + "\n")


def _write_text(path: Path, text: str) -> None:
    with whole_file(path) as building:
        building.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    run(main, "report")
