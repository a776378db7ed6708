import math

import pytest
import torch

from wsss_core.losses.joint import JointLoss
from wsss_core.losses.mining import MiningLoss
from wsss_core.losses.multi_label import multi_label_loss


def test_by_hand() -> None:
    # σ = (1/2, 3/4), tags (0, 1): (log 2 + log 4/3) / 2
    scores = torch.tensor([[0.0, math.log(3)]])
    loss = multi_label_loss(scores, {"tags": torch.tensor([[0.0, 1.0]])})["classes"]
    assert loss.item() == pytest.approx((math.log(2) + math.log(4 / 3)) / 2, abs=1e-6)


def test_classes_do_not_compete() -> None:
    tags = {"tags": torch.ones(1, 3)}
    assert (
        multi_label_loss(torch.full((1, 3), 50.0), tags)["classes"].item() < 1e-20
    )  # a softmax over the three would give log 3


def test_extreme_scores_stay_finite() -> None:
    loss = multi_label_loss(torch.tensor([[-1e4, 1e4]]), {"tags": torch.tensor([[1.0, 0.0]])})["classes"]
    assert loss.item() == pytest.approx(1e4)


def test_gradient() -> None:
    rng = torch.Generator().manual_seed(0)
    scores = torch.randn(3, 4, generator=rng, dtype=torch.float64, requires_grad=True)
    tags = {"tags": (torch.rand(3, 4, generator=rng) < 0.5).float()}
    assert torch.autograd.gradcheck(lambda x: multi_label_loss(x, tags)["classes"], (scores,))


def test_another_number_of_classes_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\(2, 3\), got \(2, 4\)"):
        multi_label_loss(torch.zeros(2, 4), {"tags": torch.zeros(2, 3)})


def test_the_joint_loss_is_that_of_pixels_and_that_of_classes() -> None:
    """Equal scores of 3 labels and of 2 classes: log 3 per pixel, log 2 per class."""
    batch = {
        "labels": torch.tensor([[[1, 255], [0, 2]]]),
        "valid": torch.ones(1, 2, 2, dtype=torch.bool),
        "tags": torch.tensor([[1.0, 0.0]]),
    }
    terms = JointLoss(MiningLoss(iou_gain=0))((torch.zeros(1, 3, 2, 2), torch.zeros(1, 2)), batch)
    assert {name: term.item() for name, term in terms.items()} == pytest.approx(
        {"cross_entropy": math.log(3), "classes": math.log(2)}
    )
