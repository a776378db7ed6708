"""Runs by their number of images with masks."""

from wsss_core.report.results import Evaluation
from wsss_core.report.supervision import by_masks, masks_table
from wsss_core.rows.em import em_row


def row(settings: str, **fields) -> dict:
    return em_row(settings, start="backbones/lite0", **{"seed": 0, **fields})


ROWS = {
    "em_fixed": row("em_fixed"),
    "em_fixed_50": row("em_fixed", strong=50),
    "em_fixed_50_s1": row("em_fixed", strong=50, seed=1),
    "em_fixed_gap_0": row("em_fixed_gap_0"),
    "strong_50": row("strong_only", strong=50),
    "strong_all": row("strong_only", strong="all"),
    "cross_joint": row("cross_strong", strong="all", second="data/second", second_strong="all"),
    "box_seg_50": row("labelled", strong=50, labels="data/box_labels/seg"),  # not scored yet
}


def scored(**miou: float) -> list[Evaluation]:
    return [Evaluation(name.replace("__", "+"), "runs", {"val": {"miou": value}}) for name, value in miou.items()]


EVALUATIONS = scored(
    em_fixed=0.2,
    em_fixed__crf=0.25,
    em_fixed_50=0.4,
    em_fixed_50_s1=0.5,
    em_fixed_50__crf=0.5,
    em_fixed_gap_0=0.1,
    strong_50=0.3,
    strong_all=0.6,
    cross_joint=0.7,
)


def test_families_are_curves_and_seeds_are_averaged():
    assert by_masks(ROWS, EVALUATIONS, "val", masks=587) == {
        "em_fixed": {0: 0.2, 50: 0.45},
        "em_fixed+crf": {0: 0.25, 50: 0.5},
        "strong": {50: 0.3, 587: 0.6},
    }


def test_a_single_point_is_shown_of_what_is_compared_and_not_of_ablations():
    rows = {name: ROWS[name] for name in ("em_fixed", "em_fixed_gap_0", "strong_all")}
    assert set(by_masks(rows, EVALUATIONS, "val", masks=587)) == {"em_fixed", "em_fixed+crf", "strong"}


def test_one_number_of_masks_is_no_curve():
    rows = {name: ROWS[name] for name in ("em_fixed", "em_fixed_gap_0")}
    assert by_masks(rows, EVALUATIONS, "val", masks=587) == {}


def test_the_table_has_a_column_per_number_and_marks_the_best():
    (table,) = masks_table(by_masks(ROWS, EVALUATIONS, "val", masks=587), "val")
    assert (table.title, table.row_head) == ("mIoU on val by number of images with masks, percent", "runs")
    assert table.columns == ["0", "50", "587"]
    assert [cell.text for cell in table.rows["strong"]] == ["–", "30.0", "60.0"]
    assert [[cell.best for cell in cells] for cells in table.rows.values()] == [
        [False, False, False],
        [True, True, False],
        [False, False, True],
    ]
    assert masks_table({}, "val") == []
