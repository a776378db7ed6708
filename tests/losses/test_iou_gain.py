import pytest
import torch
from torch import Tensor

from wsss_core.losses.iou_gain import iou_gain


def make_case(seed: int = 0, b: int = 2, c: int = 3, side: int = 4) -> tuple[Tensor, Tensor, Tensor]:
    rng = torch.Generator().manual_seed(seed)
    q, p = (torch.randn(b, c, side, side, generator=rng, dtype=torch.float64).softmax(1) for _ in range(2))
    return q, p, torch.rand(b, side, side, generator=rng) < 0.7


def one_hot(labels: Tensor, n: int) -> Tensor:
    return torch.nn.functional.one_hot(labels, n).movedim(-1, 1).double()


def slow_iou_gain(q: Tensor, p: Tensor, labelled: Tensor) -> float:
    """Equation 9, pixel by pixel."""
    gains = []
    for image in range(len(q)):
        for label in range(q.shape[1]):
            both = either = 0.0
            for y, x in labelled[image].nonzero().tolist():
                target, likelihood = q[image, label, y, x].item(), p[image, label, y, x].item()
                both += target * likelihood
                either += target + likelihood - target * likelihood
            gains.append(both / (either + 1e-6))
    return sum(gains) / len(gains)


def test_by_hand() -> None:
    # Two pixels, q = (1, 0), p = (.5, .5): Σqp = .5, Σ(q + p − qp) = 1 + .5; label 1 the same mirrored.
    q = torch.tensor([[[[1.0, 0.0]], [[0.0, 1.0]]]])
    labelled = torch.ones(1, 1, 2, dtype=torch.bool)
    assert iou_gain(q, torch.full_like(q, 0.5), labelled).item() == pytest.approx(1 / 3, abs=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_equals_the_slow_reference(seed: int) -> None:
    case = make_case(seed)
    assert iou_gain(*case).item() == pytest.approx(slow_iou_gain(*case), rel=1e-10)


def test_one_where_a_one_hot_target_is_met_and_every_label_is_present() -> None:
    q = one_hot(torch.tensor([[[0, 1], [2, 1]]]), 3)
    assert iou_gain(q, q, torch.ones(1, 2, 2, dtype=torch.bool)).item() == pytest.approx(1, abs=1e-5)


def test_zero_where_a_one_hot_target_is_missed() -> None:
    labels = torch.tensor([[[0, 1], [2, 1]]])
    gain = iou_gain(one_hot(labels, 3), one_hot((labels + 1) % 3, 3), torch.ones(1, 2, 2, dtype=torch.bool))
    assert gain.item() == 0


def test_an_absent_label_gains_nothing_and_pulls_nowhere() -> None:
    q = one_hot(torch.tensor([[[0, 1], [1, 1]]]), 4)
    assert iou_gain(q, q, torch.ones(1, 2, 2, dtype=torch.bool)).item() == pytest.approx(2 / 4, abs=1e-5)
    p = torch.full_like(q, 0.25).requires_grad_()
    iou_gain(q, p, torch.ones(1, 2, 2, dtype=torch.bool)).backward()
    assert p.grad is not None
    assert not p.grad[:, 2:].any()
    assert p.grad[:, :2].all()


def test_images_count_alike_whatever_their_labelled_area() -> None:
    q, p, labelled = make_case(side=8)
    labelled[1] = False
    labelled[1, 0, 0] = True
    alone = [iou_gain(q[i : i + 1], p[i : i + 1], labelled[i : i + 1]) for i in range(2)]
    torch.testing.assert_close(iou_gain(q, p, labelled), (alone[0] + alone[1]) / 2)


def test_unlabelled_pixels_count_for_nothing_on_either_side() -> None:
    q, p, labelled = make_case()
    there = labelled.unsqueeze(1)
    torch.testing.assert_close(iou_gain(q * there, p, labelled), iou_gain(q, torch.where(there, p, 0.9), labelled))


def test_no_labelled_pixel_gives_zero_and_a_gradient_of_zeros() -> None:
    q, p, labelled = make_case()
    p.requires_grad_()
    gain = iou_gain(q, p, torch.zeros_like(labelled))
    gain.backward()
    assert gain.item() == 0
    assert p.grad is not None
    assert not p.grad.any()


def test_gradient() -> None:
    q, p, labelled = make_case(side=3)
    assert torch.autograd.gradcheck(lambda x: iou_gain(q, x, labelled), (p.requires_grad_(),))


def test_autocast_does_not_add_up_in_half_precision() -> None:
    q, p, labelled = (t.float() if t.is_floating_point() else t for t in make_case(b=1, side=160))
    with torch.autocast("cpu", torch.bfloat16):
        gain = iou_gain(q, p, labelled)
    assert gain.item() == pytest.approx(iou_gain(q, p, labelled).item(), rel=1e-6)


def test_shapes_are_checked_at_the_door() -> None:
    q, p, labelled = make_case()
    with pytest.raises(ValueError, match=r"p \(2, 2, 4, 4\)"):
        iou_gain(q, p[:, 1:], labelled)
    with pytest.raises(ValueError, match=r"labelled \(1, 4, 4\)"):
        iou_gain(q, p, labelled[:1])
