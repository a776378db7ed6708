"""The series behind the charts, as wide tables: one column per run, for `dvc plots` and for the page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean

import pandas as pd

from wsss_core.report.chart import PAPER, Chart, line_chart
from wsss_core.report.reference import PAPERS
from wsss_core.report.results import Evaluation
from wsss_core.report.seeds import without_seed
from wsss_core.report.supervision import Curves

SHARE = "share_"  # columns of loss.csv
MOST_LINES = 12
# Where a network stands in its method's main run: mining_2, affinity_2_spn.
ITERATION = re.compile(r".+_(?P<step>\d+)(?:_spn)?")


def loss_table(runs: Iterable[str], segmenters: Path) -> pd.DataFrame:
    """Total loss over images seen, from `<segmenters>/<run>/loss.csv`; runs without that file are left out."""
    return _wide({run: log["total"] for run, log in _logs(runs, segmenters)}, "images")


def shares_table(runs: Iterable[str], segmenters: Path) -> pd.DataFrame:
    """What each class wins in a run's E-steps, over images seen: columns `<run> <class>`; runs without one left out."""
    series = {
        f"{run} {name.removeprefix(SHARE)}": log[name]
        for run, log in _logs(runs, segmenters)
        for name in log
        if name.startswith(SHARE)
    }
    return _wide(series, "images")


def curve_table(evaluations: list[Evaluation]) -> pd.DataFrame:
    """mIoU over the background threshold, a column `<store>_<split>` for each attention store and split."""
    series = {
        f"{evaluation.name}_{split}": pd.Series(scores["miou"], index=scores["thresholds"])
        for evaluation in evaluations
        if evaluation.kind == "curves"
        for split, scores in evaluation.splits.items()
    }
    return _wide(series, "threshold")


def iterations_table(evaluations: list[Evaluation], split: str) -> pd.DataFrame:
    """mIoU of every run on one split, in the order of the graph: columns `run` and `<split>_miou`."""
    found = [
        (evaluation.name, evaluation.splits[split]["miou"])
        for evaluation in evaluations
        if evaluation.kind == "runs" and split in evaluation.splits
    ]
    return pd.DataFrame(found, columns=["run", f"{split}_miou"])


def draw(
    loss: pd.DataFrame,
    shares: pd.DataFrame,
    curve: pd.DataFrame,
    iterations: pd.DataFrame,
    masks: Curves,
    *,
    main: Mapping[str, Sequence[str]],
    online: Sequence[str],
) -> list[Chart]:
    """The charts of the page from the tables above and the curves over masks; one without points is left out.

    The tables hold every run of every seed; what a chart shows of them is few enough to be told apart. An E-step that
    gives everything to background shows as a line that climbs to 100.

    Args:
        main: the networks of every method's main run, in the order of their training: those whose loss is drawn.
        online: runs whose E-step is drawn: a line among the others, and a chart of its own with its largest classes.
    """
    methods = _over_iterations(iterations, main)
    trained = {
        name: line for name, line in _series(loss).items() if any(name in networks for networks in main.values())
    }
    over_masks = {family: [(float(n), 100 * miou) for n, miou in points.items()] for family, points in masks.items()}
    won = _series(shares, 100)
    background = {run: won[f"{run} background"] for run in online if f"{run} background" in won}
    charts: list[tuple[str, str, str, Mapping[str, list[tuple[float, float]]]]] = [
        ("mIoU over iterations", "iteration or step", "mIoU in percent", methods),
        ("mIoU over images with masks", "images with masks", "mIoU in percent", over_masks),
        ("Training loss", "images seen", "loss", trained),
        ("Background in the E-step", "images seen", "percent of the pixels", background),
        *((f"E-step of {run}", "images seen", "percent of the pixels", _of_run(won, run)) for run in background),
        ("Attention against the background threshold", "threshold", "mIoU in percent", _series(curve, 100)),
    ]
    return [
        line_chart(title, x_label, y_label, series, marked=series is methods or series is over_masks)
        for title, x_label, y_label, series in charts
        if series
    ]


def _over_iterations(
    iterations: pd.DataFrame, main: Mapping[str, Sequence[str]]
) -> dict[str, list[tuple[float, float]]]:
    """mIoU of each method's main run by iteration, means over the seeds, and what its paper reports."""
    mious: dict[str, list[float]] = {}
    for run, miou in iterations.dropna().itertuples(index=False):
        mious.setdefault(without_seed(run)[0], []).append(100 * miou)
    own: dict[str, dict[float, float]] = {}
    papers: dict[str, dict[float, float]] = {}
    for method, networks in main.items():
        for run in networks:
            if run in mious and (found := ITERATION.fullmatch(run)):
                step = float(found["step"])  # a network with propagation takes the place of the one that it refines
                own.setdefault(method, {})[step] = fmean(mious[run])
                if run in PAPERS:
                    papers.setdefault(PAPER + method, {})[step] = PAPERS[run].all_classes
    return {name: sorted(points.items()) for name, points in (own | papers).items()}


def _of_run(won: Mapping[str, list[tuple[float, float]]], run: str) -> dict[str, list[tuple[float, float]]]:
    """The classes that win most in a run, in their order."""
    lines = {name.removeprefix(f"{run} "): line for name, line in won.items() if name.startswith(f"{run} ")}
    largest = sorted(lines, key=lambda name: -sum(y for _, y in lines[name]))[:MOST_LINES]
    return {name: line for name, line in lines.items() if name in largest}


def _series(table: pd.DataFrame, factor: float = 1) -> dict[str, list[tuple[float, float]]]:
    found = {}
    for name in table.columns[1:]:
        points = table[[table.columns[0], name]].dropna()
        if len(points):
            found[name] = [(float(x), factor * float(y)) for x, y in points.itertuples(index=False)]
    return found


def _logs(runs: Iterable[str], segmenters: Path) -> Iterator[tuple[str, pd.DataFrame]]:
    """Each run that left a `loss.csv`, and its columns over the images seen."""
    for run in runs:
        path = segmenters / run / "loss.csv"
        if path.is_file():
            yield run, pd.read_csv(path).drop_duplicates("images", keep="last").set_index("images")


def _wide(series: Mapping[str, pd.Series], index: str) -> pd.DataFrame:
    if not series:
        return pd.DataFrame(columns=[index])
    return pd.DataFrame(dict(series)).sort_index().rename_axis(index).reset_index()
