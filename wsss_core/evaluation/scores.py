"""The figures of a confusion matrix."""

from __future__ import annotations

import numpy as np


class Scores:
    """What a confusion matrix summed over a split says.

    Every figure is a share in [0, 1], NaN where it has no pixels to stand on. A figure per class that is NaN is left
    out of the mean over the classes.

    Attributes:
        matrix: int64 (n, n + 1), true class by predicted label, the last column unlabelled; see `confusion_matrix`.
    """

    def __init__(self, matrix: np.ndarray) -> None:
        """Raises ValueError unless the matrix is (n, n + 1)."""
        if matrix.ndim != 2 or matrix.shape[1] != matrix.shape[0] + 1:
            raise ValueError(f"expected a confusion matrix of shape (n, n + 1), got {matrix.shape}")
        self.matrix = matrix
        self._correct = np.diagonal(matrix)
        self._true = matrix.sum(1)
        self._labelled = matrix[:, :-1].sum(0)

    @property
    def per_class_iou(self) -> np.ndarray:
        """float64 (n,): correct / (truly or labelled so); NaN for a class in neither truth nor prediction."""
        return _share(self._correct, self._true + self._labelled - self._correct)

    @property
    def miou(self) -> float:
        """Mean IoU over the classes that occur in the truth or in the prediction."""
        return _mean(self.per_class_iou)

    @property
    def absent(self) -> int:
        """Number of classes in neither truth nor prediction, which `miou` leaves out."""
        return int(np.isnan(self.per_class_iou).sum())

    @property
    def pixel_accuracy(self) -> float:
        """Correct / true pixels; an unlabelled pixel is not correct."""
        return float(_share(self._correct.sum(), self._true.sum()))

    @property
    def precision(self) -> float:
        """Mean over the labelled classes of correct / labelled so."""
        return _mean(_share(self._correct, self._labelled))

    @property
    def never_labelled(self) -> int:
        """Number of classes in the truth that no pixel was labelled as, which `precision` leaves out."""
        return int(((self._labelled == 0) & (self._true > 0)).sum())

    @property
    def recall(self) -> float:
        """Mean over the classes of the truth of correct / truly so."""
        return _mean(_share(self._correct, self._true))

    @property
    def foreground_recall(self) -> float:
        """The same without background: how much of the objects is found."""
        return _mean(_share(self._correct, self._true)[1:])

    @property
    def coverage(self) -> float:
        """Labelled / true pixels, right or wrong."""
        return float(_share(self._labelled.sum(), self._true.sum()))


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=whole > 0)


def _mean(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")
