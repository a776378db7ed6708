import subprocess
import sys

import numpy as np
import pytest

from wsss_core.evaluation import Scores

# Truth: 10 background, 6 cat, 4 dog, no bird. Labelled: 7 background, 5 cat, no dog, 2 bird; 6 unlabelled.
MATRIX = np.array([[6, 2, 0, 0, 2], [1, 3, 0, 0, 2], [0, 0, 0, 2, 2], [0, 0, 0, 0, 0]])


def test_iou_by_hand() -> None:
    # background 6 / (10 + 7 − 6), cat 3 / (6 + 5 − 3), dog 0 / 4, bird 0 / 2: labelled, though never true
    scores = Scores(MATRIX)
    assert scores.per_class_iou.tolist() == pytest.approx([6 / 11, 3 / 8, 0, 0])
    assert scores.miou == pytest.approx((6 / 11 + 3 / 8) / 4)
    assert scores.absent == 0


def test_pixel_figures_by_hand() -> None:
    scores = Scores(MATRIX)
    assert scores.pixel_accuracy == pytest.approx(9 / 20)
    assert scores.coverage == pytest.approx(14 / 20)


def test_precision_and_recall_by_hand() -> None:
    scores = Scores(MATRIX)
    assert scores.precision == pytest.approx((6 / 7 + 3 / 5 + 0 / 2) / 3)  # dog was never labelled
    assert scores.never_labelled == 1
    assert scores.recall == pytest.approx((6 / 10 + 3 / 6 + 0 / 4) / 3)  # bird is never true
    assert scores.foreground_recall == pytest.approx((3 / 6 + 0 / 4) / 2)


def test_a_class_in_neither_truth_nor_prediction_is_left_out_and_counted() -> None:
    scores = Scores(np.array([[4, 0, 0, 0], [0, 0, 0, 0], [2, 0, 2, 0]]))
    np.testing.assert_allclose(scores.per_class_iou, [4 / 6, np.nan, 2 / 4])
    assert scores.miou == pytest.approx((4 / 6 + 2 / 4) / 2)
    assert scores.absent == 1
    assert scores.never_labelled == 0


def test_unlabelled_pixels_lower_iou_but_not_precision() -> None:
    full, partial = Scores(np.array([[8, 0, 0], [0, 8, 0]])), Scores(np.array([[4, 0, 4], [0, 2, 6]]))
    assert full.precision == partial.precision == 1
    assert full.miou == 1
    assert partial.miou == partial.recall == pytest.approx((1 / 2 + 1 / 4) / 2)
    assert partial.coverage == partial.pixel_accuracy == pytest.approx(6 / 16)


def test_nothing_scored_is_nan_without_a_warning() -> None:
    scores = Scores(np.zeros((2, 3), int))
    figures = [
        scores.miou,
        scores.pixel_accuracy,
        scores.precision,
        scores.recall,
        scores.coverage,
        scores.foreground_recall,
    ]
    assert np.isnan(figures).all()
    assert scores.absent == 2


def test_figures_do_not_depend_on_the_order_of_classes() -> None:
    order = [2, 0, 3, 1]
    shuffled = Scores(MATRIX[order][:, [*order, 4]])
    np.testing.assert_allclose(shuffled.per_class_iou, Scores(MATRIX).per_class_iou[order])
    assert shuffled.precision == pytest.approx(Scores(MATRIX).precision)


def test_a_square_matrix_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\(n, n \+ 1\), got \(3, 3\)"):
        Scores(np.zeros((3, 3), int))


def test_evaluation_does_not_import_torch() -> None:
    code = "import sys, wsss_core.evaluation; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
