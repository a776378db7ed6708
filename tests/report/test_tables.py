from wsss_core.report.results import Evaluation
from wsss_core.report.tables import Cell, erasing_tables, label_tables, percent, run_tables


def run(name: str, miou: float, cat: float | None) -> Evaluation:
    scores = {"miou": miou, "pixel_accuracy": 0.5, "per_class": {"background": 0.25, "cat": cat}, "images": 7}
    return Evaluation(name, "runs", {"val": scores})


def test_percent_for_people():
    assert [percent(v) for v in (0.56849, 0.0, 1.0, None)] == ["56.8", "0.0", "100.0", "–"]


def test_best_of_each_column_is_marked_and_gaps_are_dashes():
    (table,) = run_tables([run("one", 0.25, None), run("two", 0.5, 0.125)])
    assert (table.title, table.row_head) == ("IoU on val, percent", "run")
    assert table.columns == ["mIoU", "pixel accuracy", "background", "cat", "number of images"]
    assert list(table.rows) == ["one", "two"]
    assert table.rows["one"] == [
        Cell("25.0", 0.25),
        Cell("50.0", 0.5, True),
        Cell("25.0", 0.25, True),
        Cell("–"),
        Cell("7"),
    ]
    assert table.rows["two"][0] == Cell("50.0", 0.5, True) and table.rows["two"][3].best


def test_label_stores_stand_apart_from_runs():
    scores = {"miou": 0.1, "precision": 0.9, "recall": 0.2, "coverage": 0.3, "images": 2}
    evaluations = [run("one", 0.25, 0.5), Evaluation("cues", "labels", {"train": scores, "easy": scores})]
    titles = [(table.title, table.row_head) for table in label_tables(evaluations)]
    assert titles == [("Labels of train, percent", "labels"), ("Labels of easy, percent", "labels")]
    assert [cell.text for cell in label_tables(evaluations)[0].rows["cues"]] == ["10.0", "90.0", "20.0", "30.0", "2"]
    assert [list(table.rows) for table in run_tables(evaluations)] == [["one"]]


def test_what_each_erasing_added():
    scores = {"iou": [0.5, 0.625], "changed": [{"better": 0.75, "worse": 0.0}], "images": 4}
    (table,) = erasing_tables([Evaluation("saliency", "erasing", {"val": scores}), run("one", 0.25, None)])
    assert (table.title, table.row_head) == ("Saliency on val, percent", "maps")
    assert table.columns == ["S1", "S2", "better", "worse", "number of images"]
    assert [cell.text for cell in table.rows["saliency"]] == ["50.0", "62.5", "75.0", "0.0", "4"]
