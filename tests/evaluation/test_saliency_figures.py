"""Saliency figures by hand."""

import numpy as np
import pytest

from wsss_core.evaluation.saliency import saliency_figures


def test_two_images_by_hand():
    truth = np.array([[1, 0, 255, 1]], np.uint8)
    map_ = np.array([[0.9, 0.6, 0.9, 0.1]], np.float32)  # found: 2 of which 1 salient; union 3
    nothing = np.zeros((1, 2), np.uint8)
    figures = saliency_figures([(map_, truth), (np.zeros((1, 2), np.float32), nothing)])
    assert figures["images"] == 2
    assert figures["iou"] == pytest.approx((1 / 3 + 1) / 2)
    assert figures["mae"] == pytest.approx(((0.1 + 0.6 + 0.9) / 3 + 0) / 2)


def test_other_sizes_and_no_image_are_refused():
    with pytest.raises(ValueError, match=r"mask's size \(1, 3\), got \(1, 2\)"):
        saliency_figures([(np.zeros((1, 2)), np.zeros((1, 3), np.uint8))])
    with pytest.raises(ValueError, match="got none"):
        saliency_figures([])
