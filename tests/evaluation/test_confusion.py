import numpy as np
import pytest

from wsss_core.evaluation import confusion_matrix


def slow_confusion(truth: np.ndarray, predicted: np.ndarray, n: int) -> np.ndarray:
    counts = np.zeros((n, n + 1), int)
    for true, label in zip(truth.ravel().tolist(), predicted.ravel().tolist(), strict=True):
        if true != 255:
            counts[true, n if label == 255 else label] += 1
    return counts


def make_maps(n: int, dtype: str = "uint8") -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(n)
    truth, predicted = rng.choice([*range(n), 255], (2, 37, 23)).astype(dtype)
    return truth, predicted


def test_by_hand() -> None:
    truth = np.array([[0, 0, 1], [1, 1, 255]], np.uint8)
    predicted = np.array([[0, 1, 1], [255, 1, 0]], np.uint8)
    assert confusion_matrix(truth, predicted, 2).tolist() == [[1, 1, 0], [0, 2, 1]]


@pytest.mark.parametrize("n", [1, 2, 7, 21, 255])
@pytest.mark.parametrize("dtype", ["uint8", "int64"])
def test_equals_the_slow_reference(n: int, dtype: str) -> None:
    truth, predicted = make_maps(n, dtype)
    counts = confusion_matrix(truth, predicted, n)
    assert counts.dtype == np.int64
    np.testing.assert_array_equal(counts, slow_confusion(truth, predicted, n))


def test_every_pixel_with_a_truth_is_counted_once() -> None:
    truth, predicted = make_maps(5)
    assert confusion_matrix(truth, predicted, 5).sum() == (truth != 255).sum()


def test_images_add_up() -> None:
    truth, predicted = make_maps(5)
    halves = [confusion_matrix(truth[part], predicted[part], 5) for part in (slice(20), slice(20, None))]
    np.testing.assert_array_equal(halves[0] + halves[1], confusion_matrix(truth, predicted, 5))


@pytest.mark.parametrize(("name", "which"), [("truth", 0), ("predicted", 1)])
@pytest.mark.parametrize("stray", [3, 254])
def test_a_stray_class_is_named(name: str, which: int, stray: int) -> None:
    maps = make_maps(3)
    maps[which][1, 1] = stray
    with pytest.raises(ValueError, match=rf"{name}: .*0\.\.2 or 255, got \[{stray}\]"):
        confusion_matrix(*maps, 3)


@pytest.mark.parametrize("wrong", [-1, 256, 511])
def test_ids_that_would_wrap_round_are_refused(wrong: int) -> None:
    truth, predicted = make_maps(3, "int64")
    predicted[0, 0] = wrong
    with pytest.raises(ValueError, match=rf"predicted: .*0\.\.255.*{wrong}"):
        confusion_matrix(truth, predicted, 3)


def test_shapes_dtypes_and_the_number_of_classes_are_checked_at_the_door() -> None:
    truth, predicted = make_maps(3)
    with pytest.raises(ValueError, match=r"\(37, 23\).*\(23, 37\)"):
        confusion_matrix(truth, predicted.T, 3)
    with pytest.raises(ValueError, match="truth: expected integer class ids, got float64"):
        confusion_matrix(truth.astype(float), predicted, 3)
    with pytest.raises(ValueError, match=r"1\.\.255, got 256"):
        confusion_matrix(truth, predicted, 256)
