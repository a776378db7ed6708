import json

import numpy as np
import pytest

from wsss_core.evaluation import Scores, label_summary, prediction_summary

SCORES = Scores(np.array([[3, 1, 0, 0], [0, 2, 0, 2], [0, 0, 0, 0]]))
NAMES = ["background", "cat", "dog"]


def test_predictions() -> None:
    assert prediction_summary(SCORES, NAMES, 2) == {
        "miou": pytest.approx((3 / 4 + 2 / 5) / 2),
        "per_class": {"background": 0.75, "cat": 0.4, "dog": None},
        "absent": 1,
        "pixel_accuracy": 0.625,
        "images": 2,
    }


def test_labels_have_also_precision_recall_and_coverage() -> None:
    summary = label_summary(SCORES, NAMES, 2)
    more = {"precision": pytest.approx((1 + 2 / 3) / 2), "never_labelled": 0, "recall": 0.625, "coverage": 0.75}
    more["foreground_recall"] = 0.5  # cat's
    assert summary == prediction_summary(SCORES, NAMES, 2) | more


def test_json_reads_it_back_even_where_nothing_was_scored() -> None:
    empty = label_summary(Scores(np.zeros((3, 4), int)), NAMES, 0)
    assert json.loads(json.dumps(empty, allow_nan=False)) == empty
    assert empty["miou"] is None
    assert empty["coverage"] is None
    full = label_summary(SCORES, NAMES, 2)
    assert json.loads(json.dumps(full, allow_nan=False)) == full


@pytest.mark.parametrize("names", [["background", "cat"], ["background", "cat", "cat"]])
def test_names_must_fit_the_matrix(names: list[str]) -> None:
    with pytest.raises(ValueError, match="expected 3 different names"):
        prediction_summary(SCORES, names, 1)
