import numpy as np
import pytest

from wsss_core.crf import label_probabilities


def test_by_hand() -> None:
    out = label_probabilities(np.array([[0, 2, 255]], np.uint8), 3, confidence=0.8)
    assert out.dtype == np.float32
    np.testing.assert_allclose(out[:, 0].T, [[0.8, 0.1, 0.1], [0.1, 0.1, 0.8], [1 / 3] * 3], rtol=1e-6)


@pytest.mark.parametrize(
    ("labels", "k", "confidence", "message"),
    [
        (np.array([[3]], np.uint8), 3, 0.7, "0..2 or 255, got 3"),
        (np.array([[-1]]), 3, 0.7, "got -1"),
        (np.zeros((1, 1), np.uint8), 1, 0.7, "at least 2 labels, got 1"),
        (np.zeros((1, 1), np.uint8), 4, 0.25, "between 1/4 and 1, got 0.25"),
        (np.zeros((1, 1)), 2, 0.7, r"expected integer labels \(H, W\), got float64"),
    ],
)
def test_errors(labels: np.ndarray, k: int, confidence: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        label_probabilities(labels, k, confidence=confidence)
