import numpy as np
import pytest

from wsss_core.evaluation import Scores, confusion_matrix, strength_counts, threshold_matrices

N_CLASSES = 6


def make_image(seed: int, class_ids: list[int]) -> tuple[np.ndarray, np.ndarray, list[int]]:
    rng = np.random.default_rng(seed)
    truth = rng.choice([0, 2, 3, 5, 255], (19, 14)).astype(np.uint8)
    return truth, rng.integers(0, 256, (len(class_ids), 19, 14)).astype(np.uint8), class_ids


def naive_matrix(truth: np.ndarray, attention: np.ndarray, class_ids: list[int], threshold: float) -> np.ndarray:
    soft = attention / 255
    predicted = np.where(soft.max(0) >= threshold, np.array(class_ids)[soft.argmax(0)], 0)
    return confusion_matrix(truth, predicted, N_CLASSES)


def test_by_hand() -> None:
    truth = np.array([[0, 1, 1, 255]], np.uint8)
    attention = np.array([[[51, 102, 204, 255]]], np.uint8)  # .2, .4, .8, 1 of class 1
    counts = strength_counts(truth, attention, [1], [0.1, 0.4, 0.5], 2)
    matrices = threshold_matrices(counts)
    assert matrices[:, :, :2].tolist() == [[[0, 1], [0, 2]], [[1, 0], [0, 2]], [[1, 0], [1, 1]]]
    assert not matrices[:, :, 2].any()
    assert [Scores(matrix).miou for matrix in matrices] == pytest.approx([(0 + 2 / 3) / 2, 1, 1 / 2])


@pytest.mark.parametrize("thresholds", [[0.5], [0.0, 0.2, 0.4, 1.0], [k / 20 for k in range(21)], [0.3, 1.5]])
def test_equals_the_naive_loop(thresholds: list[float]) -> None:
    images = [make_image(0, [2]), make_image(1, [2, 5]), make_image(2, [1, 3, 4])]
    counts = sum(strength_counts(*image, thresholds, N_CLASSES) for image in images)
    assert isinstance(counts, np.ndarray)
    expected = [sum(naive_matrix(*image, threshold) for image in images) for threshold in thresholds]
    np.testing.assert_array_equal(threshold_matrices(counts), expected)


def test_every_stored_value_reaches_its_own_threshold() -> None:
    attention = np.arange(256, dtype=np.uint8).reshape(1, 1, 256)
    truth = np.ones((1, 256), np.uint8)
    matrices = threshold_matrices(strength_counts(truth, attention, [1], [k / 255 for k in range(256)], 2))
    assert matrices[:, 1, 1].tolist() == list(range(256, 0, -1))


def test_an_image_without_tags_is_background_at_every_threshold() -> None:
    truth = np.array([[0, 2, 255]], np.uint8)
    counts = strength_counts(truth, np.zeros((0, 1, 3), np.uint8), [], [0.0, 0.5], 3)
    assert threshold_matrices(counts)[:, :, 0].tolist() == [[1, 0, 1], [1, 0, 1]]
    assert threshold_matrices(counts).sum() == 4


def test_foreground_shrinks_as_the_threshold_rises() -> None:
    thresholds = [0.1, 0.3, 0.5, 0.7, 0.9]
    matrices = threshold_matrices(strength_counts(*make_image(3, [2, 3]), thresholds, N_CLASSES))
    foreground = matrices[:, :, 1:].sum((1, 2))
    assert (np.diff(foreground) < 0).all()
    assert len(set(matrices.sum((1, 2)).tolist())) == 1


def test_what_does_not_fit_is_refused() -> None:
    truth, attention, ids = make_image(0, [2, 5])
    with pytest.raises(ValueError, match=r"uint8 of shape \(2, 19, 14\), got float64"):
        strength_counts(truth, attention / 255, ids, [0.5], N_CLASSES)
    with pytest.raises(ValueError, match=r"uint8 of shape \(1, 19, 14\), got uint8 of shape \(2, 19, 14\)"):
        strength_counts(truth, attention, [2], [0.5], N_CLASSES)
    with pytest.raises(ValueError, match=r"class ids in 1\.\.5, got \[0, 5\]"):
        strength_counts(truth, attention, [0, 5], [0.5], N_CLASSES)
    with pytest.raises(ValueError, match=r"truth: .*0\.\.3 or 255, got 5"):
        strength_counts(truth, attention, [2, 3], [0.5], 4)
    for thresholds in ([], [0.5, 0.4], [0.5, 0.5], [0.1, float("nan")]):
        with pytest.raises(ValueError, match="ascending"):
            strength_counts(truth, attention, ids, thresholds, N_CLASSES)
    with pytest.raises(ValueError, match=r"\(T \+ 1, n, n\), got \(2, 3, 4\)"):
        threshold_matrices(np.zeros((2, 3, 4), int))
