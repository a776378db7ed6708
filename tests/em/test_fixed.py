"""EM-Fixed and its form for boxes, by hand."""

import pytest
import torch

from wsss_core.em.fixed import box_em_fixed, em_fixed

# One row of four pixels; scores of background, cat, dog.
SCORES = torch.tensor([[0.0, 4.0, 0.0, 0.0], [-1.0, 0.0, -3.0, 0.0], [0.0, 0.0, 0.0, 6.0]])[:, None]
CAT = torch.tensor([False, True, False])


def test_by_hand():
    # Background + 3 and cat + 5: 3|4, 7|5, 3|2, 3|5; at the last pixel the absent dog has 6.
    assert em_fixed(SCORES, CAT).tolist() == [[1, 0, 0, 2]]
    assert em_fixed(SCORES[None], CAT[None], foreground=0.0, background=0.0).tolist() == [[[0, 0, 0, 2]]]


def test_images_of_a_batch_have_their_own_labels():
    dog = torch.tensor([False, False, True])
    both = em_fixed(torch.stack([SCORES, SCORES]), torch.stack([CAT, dog]))
    assert both.tolist() == [em_fixed(SCORES, CAT).tolist(), em_fixed(SCORES, dog).tolist()]


def test_the_boost_of_a_box_ends_at_its_border():
    boxes = torch.zeros(3, 1, 4, dtype=torch.bool)
    boxes[1, :, 2:] = True  # cat, the right half
    # 3|-1, 7|0, 3|2, 3|5: only the last pixel is cat, and the absent dog's 6 does not compete.
    assert box_em_fixed(SCORES, CAT, boxes).tolist() == [[0, 0, 0, 1]]


def test_an_absent_class_never_wins_with_boxes():
    torch.manual_seed(0)
    logits, present = 20 * torch.randn(4, 5, 8, 8), torch.rand(4, 5) < 0.4
    labels = box_em_fixed(logits, present, torch.rand(4, 5, 8, 8) < 0.5)
    for image, classes in zip(labels, present, strict=True):
        assert set(image.unique().tolist()) <= {0, *classes.nonzero().flatten().tolist()}


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"expected boxes bool \(3, 1, 4\), got torch.float32"):
        box_em_fixed(SCORES, CAT, torch.zeros(3, 1, 4))
    with pytest.raises(ValueError, match="expected finite logits"):
        em_fixed(SCORES / 0, CAT)
    with pytest.raises(ValueError, match="expected present of dtype bool"):
        em_fixed(SCORES, CAT.float())
