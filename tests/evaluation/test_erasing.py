"""Saliency steps against a mask, by hand."""

import numpy as np
import pytest

from wsss_core.evaluation.erasing import erasing_summary, step_ious

TRUTH = np.array([[1, 1, 3, 0], [255, 0, 0, 0]], np.uint8)


def steps(*salient: str) -> np.ndarray:
    rows = [[[255 * (c == "x") for c in step[k : k + 4]] for k in (0, 4)] for step in salient]
    return np.array(rows, np.uint8)


def test_any_class_is_an_object_and_ignored_pixels_do_not_count():
    assert step_ious(steps("x...x...", "xx..x...", "xxxx...."), TRUTH) == pytest.approx([1 / 3, 2 / 3, 3 / 4])
    assert step_ious(steps("....x..."), np.zeros((2, 4), np.uint8) + np.uint8(255 * (TRUTH == 255))) == [1.0]
    with pytest.raises(ValueError, match=r"expected maps of the mask's size \(2, 4\), got \(2, 3\)"):
        step_ious(np.zeros((1, 2, 3), np.uint8), TRUTH)


def test_images_that_erasing_helped_and_hurt():
    found = erasing_summary({"a": [0.5, 0.7, 0.9], "b": [0.8, 0.8, 0.2], "c": [0.2, 0.3, 0.1], "d": [0.4, 0.4, 0.4]})
    assert found["iou"] == pytest.approx([0.475, 0.55, 0.4]) and found["images"] == 4
    assert found["changed"] == [{"better": 0.5, "worse": 0.0}, {"better": 0.25, "worse": 0.5}]
    assert (found["helped"], found["hurt"]) == (["a"], ["b", "c"])
    assert erasing_summary({"a": [0.5]}) == {"iou": [0.5], "changed": [], "helped": [], "hurt": [], "images": 1}
