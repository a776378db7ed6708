"""The rows of EM with biases (Papandreou et al. 2015): tags, boxes, masks, and every mixture of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from wsss_core.rows.kinds import NOTHING, NOTHING_AT_ALL, NOTHING_ELSE, Kinds, Rows
from wsss_core.rows.wiring import Wiring

# What the ablations sweep: b_fg − b_bg (b_bg is 3) and the percentage α of Bbox-Seg.
SWEPT_GAPS = (0, 1, 4, 8)
SWEPT_CENTERS = (40, 60, 80)


def em_row(
    settings: str,
    *,
    start: str,
    seed: int,
    networks: int = 1,
    strong: int | str = 0,
    labels: str = NOTHING,
    dataset: str = "dataset",
    second: str = NOTHING_ELSE,
    second_strong: int | str = 0,
    boxes: bool = False,
) -> dict[str, Any]:
    """A row of `em_runs`: the command line of `train_em`, and what of the data set it depends on beside the photos."""
    supervision = {
        (False, False): NOTHING_AT_ALL,
        (True, False): f"data/{dataset}/masks",
        (False, True): f"data/{dataset}/boxes.parquet",
        (True, True): f"data/{dataset}",
    }
    return {
        "settings": settings,
        "seed": seed,
        "networks": networks,
        "dataset": dataset,
        "strong": strong,
        "supervision": supervision[strong != 0, boxes],
        "labels": labels,
        "second": second,
        "second_strong": second_strong,
        "start": start,
    }


def em_rows(wiring: Wiring, *, box_labels: Iterable[str], two_sets: bool) -> Kinds:
    """Rows of tags, boxes and masks; of a second data set, if there are two.

    Args:
        box_labels: sections of `box_labels`.
        two_sets: whether there is a data set `second`.
    """
    rows = Kinds(main_runs={"EM with biases": ["em_adapt"]})
    if not wiring.main_only:
        rows.boxed.update({name: {"settings": name} for name in box_labels})
        rows.crf_searches["em_adapt"] = {"segmenter": "segmenters/em_adapt"}
    for s, repetition in wiring.repetitions():
        how: dict[str, Any] = {"start": wiring.online_start(), **repetition}
        runs = {"em_adapt": em_row("em_adapt", **how)} if wiring.main_only else _mixtures(wiring, how)
        if wiring.ablations:
            runs |= _sweeps(wiring, how)
        if two_sets and not wiring.main_only:
            runs |= _two_data_sets(wiring, how, f"segmenters/pretrained{s}")
        rows.em_runs.update({f"{name}{s}": run for name, run in runs.items()})
    return rows


def _mixtures(wiring: Wiring, how: dict[str, Any]) -> Rows:
    """Masks alone, and tags or boxes beside every number of masks."""
    runs: Rows = {}
    for strong in (0, *wiring.strong):
        n = f"_{strong}" if strong else ""
        if strong:
            runs[f"strong{n}"] = em_row("strong_only", strong=strong, **how)
        if strong != "all":  # of all that have a mask: name their number to mix them with the others
            runs[f"em_fixed{n}"] = em_row("em_fixed", strong=strong, **how)
            runs[f"em_adapt{n}"] = em_row("em_adapt", strong=strong, **how)
            runs[f"box_rect{n}"] = em_row("labelled", strong=strong, labels="data/box_labels/rect", **how)
            runs[f"box_em_fixed{n}"] = em_row("box_em_fixed", strong=strong, boxes=True, **how)
            runs[f"box_seg{n}"] = em_row("labelled", strong=strong, labels="data/box_labels/seg", **how)
    return runs


def _sweeps(wiring: Wiring, how: dict[str, Any]) -> Rows:
    """Gaps, centres, and the field of view with tags alone and, where asked for, beside 200 masks."""
    runs = {f"em_fixed_gap_{gap}": em_row(f"em_fixed_gap_{gap}", **how) for gap in SWEPT_GAPS}
    for center in SWEPT_CENTERS:
        runs[f"box_seg_center_{center}"] = em_row("labelled", labels=f"data/box_labels/seg_{center}", **how)
    for field in ("small", "large"):
        runs[f"field_{field}"] = em_row(f"field_{field}", **how)
        if 200 in wiring.strong:
            runs[f"field_{field}_200"] = em_row(f"field_{field}", strong=200, **how)
    return runs


def _two_data_sets(wiring: Wiring, how: dict[str, Any], pretrained: str) -> Rows:
    """Joint training, the second data set weak, n of it strong, or one after the other."""
    joined = {"strong": "all", "second": "data/second", **how}
    runs = {
        "cross_joint": em_row("cross_strong", second_strong="all", **joined),
        "cross_weak": em_row("cross", second_strong=0, **joined),
    }
    for strong in wiring.second_strong:
        runs[f"cross_{strong}"] = em_row("cross", second_strong=strong, **joined)
        runs[f"cross_strong_{strong}"] = em_row("cross_strong", second_strong=strong, **joined)
    divided = {"strong": "all", "networks": 2, **how}
    runs["pretrained"] = em_row("strong_only", dataset="second", **divided)
    runs["finetuned"] = em_row("strong_only", **divided | {"start": pretrained})
    return runs
