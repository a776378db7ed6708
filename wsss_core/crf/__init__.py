"""Gaussian filtering in high dimension and the dense CRF (Krähenbühl & Koltun 2011).

`DenseCRF` and `label_probabilities` work on numpy arrays and import neither torch nor numba before they are called.
The differentiable filter is in `wsss_core.crf.filtering` (torch).
"""

from wsss_core.crf.dense import DenseCRF
from wsss_core.crf.unary import label_probabilities

__all__ = ["DenseCRF", "label_probabilities"]
