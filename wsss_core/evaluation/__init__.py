"""How good labels are, in numpy alone: confusion matrices, the scores read from them, threshold curves."""

from wsss_core.evaluation.confusion import confusion_matrix
from wsss_core.evaluation.scores import Scores
from wsss_core.evaluation.summary import label_summary, prediction_summary
from wsss_core.evaluation.threshold_curve import strength_counts, threshold_matrices

__all__ = [
    "Scores",
    "confusion_matrix",
    "label_summary",
    "prediction_summary",
    "strength_counts",
    "threshold_matrices",
]
