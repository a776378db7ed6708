"""What each part of a combination adds."""

from wsss_core.report.combinations import combination_tables
from wsss_core.report.results import Evaluation

CHAIN = [
    {"run": "both_0", "part": "on cues"},
    {"run": "both_1", "part": "again"},
    {"run": "both_1_spn", "part": "propagation"},
]


def run(name: str, miou: float) -> Evaluation:
    return Evaluation(name, "runs", {"val": {"miou": miou, "pixel_accuracy": 0.5, "per_class": {}}})


def texts(table) -> list[list[str]]:
    return [[cell.text for cell in cells] for cells in table.rows.values()]


def test_gains_are_differences_to_the_network_before():
    scored = [run("both_0", 0.3), run("both_1", 0.42), run("both_1_spn", 0.4), run("both_0+crf", 0.31)]
    (table,) = combination_tables({"both": CHAIN, "unscored": [{"run": "x_0", "part": ""}]}, scored, "val")
    assert (table.title, table.row_head) == ("Combination both", "network")
    heads = ["val mIoU, percent", "gain, points", "val mIoU+crf, percent", "gain+crf, points"]
    assert table.columns == ["how it learns", *heads]
    assert list(table.rows) == ["both_0", "both_1", "both_1_spn"]
    assert texts(table) == [
        ["on cues", "30.0", "", "31.0", ""],
        ["again", "42.0", "+12.0", "–", ""],
        ["propagation", "40.0", "-2.0", "–", ""],
    ]


def test_gains_are_means_over_seeds():
    scored = [run("both_0", 0.2), run("both_0_s1", 0.4), run("both_1", 0.5), run("both_1_s1", 0.5)]
    (table,) = combination_tables({"both": CHAIN}, scored, "val")
    # 30 and 10 points
    assert [row[1:] for row in texts(table)] == [["30.0 ± 14.1", ""], ["50.0 ± 0.0", "+20.0 ± 14.1"], ["–", ""]]


def test_gains_are_paired_by_seed():
    scored = [run("both_0_s1", 0.2), run("both_0_s2", 0.4), run("both_1", 0.9), run("both_1_s1", 0.5)]
    (table,) = combination_tables({"both": CHAIN}, [*scored, run("both_1_s3_spn", 0.6)], "val")
    assert [row[2] for row in texts(table)] == ["", "+30.0", ""]  # only seed 1 is common; the last two share none
