"""Labels from boxes, by hand."""

import numpy as np
import pytest

from wsss_core.crf import DenseCRF
from wsss_core.cues.boxes import box_rect, box_seg
from wsss_core.data.boxes import central, class_planes


def test_the_smallest_box_wins_and_borders_clip():
    boxes = np.array([[1, 0, 3, 2], [-5, 0, 4, 9]])  # the second is 4 × 4 after clipping
    labels = box_rect(boxes, np.array([7, 2]), height=4, width=6)
    assert labels.tolist() == [
        [2, 7, 7, 2, 0, 0],
        [2, 7, 7, 2, 0, 0],
        [2, 2, 2, 2, 0, 0],
        [2, 2, 2, 2, 0, 0],
    ]


def test_a_box_outside_the_image_is_an_error():
    for box in ([6, 0, 9, 2], [2, 2, 2, 3], [0, -4, 3, 0]):
        with pytest.raises(ValueError, match=r"is empty or outside the image of 6 × 4 pixels"):
            box_rect(np.array([box]), np.array([1]), height=4, width=6)
    with pytest.raises(ValueError, match="got 1 boxes and 2 classes"):
        box_rect(np.array([[0, 0, 1, 1]]), np.array([1, 2]), height=4, width=6)


def test_the_centre_of_a_box():
    assert central(np.array([10, 20, 20, 40]), 0.25).tolist() == [12, 25, 17, 35]  # half of each side
    assert central(np.array([3, 3, 4, 4]), 0.01).tolist() == [3, 3, 4, 4]


def test_planes_of_classes():
    planes = class_planes(
        np.array([[0, 0, 1, 1], [1, 1, 2, 2], [0, 1, 1, 2]]), np.array([3, 5, 3]), np.array([3, 4]), height=2, width=2
    )
    assert planes.dtype == np.uint8 and (planes // 255).tolist() == [[[1, 0], [1, 0]], [[0, 0], [0, 0]]]


def disc_photo() -> tuple[np.ndarray, np.ndarray]:
    """A red disc of radius 10 on green, its mask, 48 × 64."""
    y, x = np.mgrid[:48, :64]
    disc = (y - 24) ** 2 + (x - 30) ** 2 <= 100
    return np.where(disc[..., None], np.uint8([200, 40, 40]), np.uint8([60, 160, 60])).astype(np.uint8), disc


def test_the_crf_cuts_the_object_out_of_its_box():
    photo, disc = disc_photo()
    box = np.array([[20, 14, 41, 35]])
    labels = box_seg(photo, box, np.array([4]), crf=DenseCRF())
    assert set(np.unique(labels)) == {0, 4}
    found = labels == 4
    assert (found & disc).sum() / (found | disc).sum() > 0.95
    assert not labels[:, :20].any() and not labels[:, 41:].any()


def test_a_claim_goes_to_the_smaller_box_and_the_centre_is_held():
    photo, _ = disc_photo()
    boxes = np.array([[0, 0, 64, 48], [24, 18, 36, 30]])

    def nothing_is_an_object(image, probabilities):
        return np.stack([np.ones(image.shape[:2]), np.zeros(image.shape[:2])])

    labels = box_seg(photo, boxes, np.array([1, 2]), crf=nothing_is_an_object, center=0.25)
    expected = np.zeros((48, 64), np.uint8)
    expected[12:36, 16:48], expected[21:27, 27:33] = 1, 2
    np.testing.assert_array_equal(labels, expected)
    with pytest.raises(ValueError, match=r"expected a center in \(0, 1\], got 0"):
        box_seg(photo, boxes, np.array([1, 2]), crf=nothing_is_an_object, center=0)
