import math

import pytest
import torch
from torch import Tensor

from wsss_core.losses.saliency import SaliencyLoss
from wsss_core.stage import InputError, bind


def make_batch(labels: Tensor) -> dict[str, Tensor]:
    return {"labels": labels, "valid": torch.ones_like(labels, dtype=torch.bool)}


def test_by_hand() -> None:
    # σ = (3/4, 1/2), labels (1, 0): CE = (log 4/3 + log 2) / 2; J = .75 / (1 + .5)
    batch = make_batch(torch.tensor([[[1, 0]]]))
    terms = SaliencyLoss(iou_gain=2.0)(torch.tensor([[[[math.log(3), 0.0]]]]), batch)
    assert terms["cross_entropy"].item() == pytest.approx((math.log(4 / 3) + math.log(2)) / 2, abs=1e-6)
    assert terms["iou"].item() == pytest.approx(-2 * 0.5, abs=1e-5)


def test_ignored_and_padded_pixels_count_for_nothing() -> None:
    batch = make_batch(torch.tensor([[[1, 0, 255, 1]]]))
    batch["valid"][0, 0, 3] = False
    scores = torch.tensor([[[[1.0, -2.0, 30.0, -30.0]]]])
    small = SaliencyLoss()(scores[..., :2], make_batch(torch.tensor([[[1, 0]]])))
    for name, term in SaliencyLoss()(scores, batch).items():
        torch.testing.assert_close(term, small[name])


def test_a_thin_object_weighs_more_in_the_iou_than_in_the_mean_over_pixels() -> None:
    labels = torch.zeros(1, 10, 10, dtype=torch.int64)
    labels[0, 5] = 1
    missed = torch.full((1, 1, 10, 10), -4.0)
    found = torch.where(labels.unsqueeze(1) == 1, 4.0, missed)
    before, after = (SaliencyLoss()(scores, make_batch(labels)) for scores in (missed, found))
    assert before["iou"] - after["iou"] > 0.8 > before["cross_entropy"] - after["cross_entropy"]


def test_the_grid_is_upsampled() -> None:
    batch = make_batch(torch.tensor([[[0, 0, 1]]]))
    coarse, fine = torch.tensor([[[[-1.0, 3.0]]]]), torch.tensor([[[[-1.0, 1.0, 3.0]]]])
    for name, term in SaliencyLoss()(coarse, batch).items():
        torch.testing.assert_close(term, SaliencyLoss()(fine, batch)[name])


def test_nothing_labelled_gives_zero_and_a_gradient_of_zeros() -> None:
    scores = torch.randn(2, 1, 4, 4, generator=torch.Generator().manual_seed(0)).requires_grad_()
    terms = SaliencyLoss()(scores, make_batch(torch.full((2, 4, 4), 255)))
    torch.stack(list(terms.values())).sum().backward()
    assert [term.item() for term in terms.values()] == [0, 0]
    assert scores.grad is not None
    assert not scores.grad.any()


def test_weight_zero_leaves_the_iou_out() -> None:
    terms = SaliencyLoss(iou_gain=0.0)(torch.zeros(1, 1, 2, 2), make_batch(torch.zeros(1, 2, 2, dtype=torch.int64)))
    assert list(terms) == ["cross_entropy"]


def test_gradient() -> None:
    rng = torch.Generator().manual_seed(0)
    batch = make_batch(torch.randint(0, 2, (2, 5, 5), generator=rng))
    scores = torch.randn(2, 1, 3, 3, generator=rng, dtype=torch.float64, requires_grad=True)
    loss = SaliencyLoss()
    assert torch.autograd.gradcheck(lambda x: torch.stack(list(loss(x, batch).values())).sum(), (scores,))


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match=r"0, 1 or 255, got \[0, 2\]"):
        SaliencyLoss()(torch.zeros(1, 1, 1, 2), make_batch(torch.tensor([[[0, 2]]])))
    with pytest.raises(ValueError, match=r"\(B, 1, h, w\), got \(1, 2, 1, 2\)"):
        SaliencyLoss()(torch.zeros(1, 2, 1, 2), make_batch(torch.tensor([[[0, 1]]])))
    with pytest.raises(InputError, match="x: iou_gain must not be negative"):
        bind(SaliencyLoss, {"iou_gain": -0.5}, "x")
