import math

import pytest
import torch
from torch import Tensor

from wsss_core.losses.hard_soft import hard_soft_cross_entropy
from wsss_core.losses.iou_gain import iou_gain
from wsss_core.losses.mining import MiningLoss
from wsss_core.losses.upsample import upsample
from wsss_core.stage import InputError, bind


def make_batch(side: int = 9) -> dict[str, Tensor]:
    rng = torch.Generator().manual_seed(0)
    valid = torch.ones(2, side, side, dtype=torch.bool)
    valid[1, :, side // 2 :] = False
    posterior = torch.randn(2, 4, side, side, generator=rng, dtype=torch.float64).softmax(1) * valid.unsqueeze(1)
    return {"valid": valid, "posterior": posterior}


def make_logits(grid: int = 3) -> Tensor:
    return torch.randn(2, 4, grid, grid, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def test_two_pixels_by_hand() -> None:
    # p = 1/2 everywhere: CE = log 2; J = (.5 / 1.5 + .5 / 1.5) / 2 = 1/3.
    batch = {"labels": torch.tensor([[[0, 1]]]), "valid": torch.ones(1, 1, 2, dtype=torch.bool)}
    terms = MiningLoss(iou_gain=3.0)(torch.zeros(1, 2, 1, 1), batch)
    assert terms["cross_entropy"].item() == pytest.approx(math.log(2), abs=1e-6)
    assert terms["iou"].item() == pytest.approx(-1, abs=1e-5)


def test_terms_are_those_of_the_upsampled_logits() -> None:
    batch, grid = make_batch(), make_logits()
    logits, q = upsample(grid, (9, 9)), batch["posterior"]
    terms = MiningLoss(heuristic="max", eta=0.7, iou_gain=0.5, confidence_of="likelihood")(grid, batch)
    entropy = hard_soft_cross_entropy(logits, q, batch["valid"], heuristic="max", eta=0.7, confidence_of="likelihood")
    torch.testing.assert_close(terms["cross_entropy"], entropy)
    torch.testing.assert_close(terms["iou"], -0.5 * iou_gain(q, logits.softmax(1), batch["valid"]))


@pytest.mark.parametrize("heuristic", ["max", "relative"])
def test_labels_and_their_one_hot_posterior_are_one_target(heuristic: str) -> None:
    soft = make_batch()
    labels = torch.where(soft["valid"], soft["posterior"].argmax(1), 255)
    one_hot = torch.nn.functional.one_hot(labels.clamp(max=4), 5)[..., :4].movedim(-1, 1).double()
    loss = MiningLoss(heuristic=heuristic, eta=0.8)  # type: ignore[arg-type]
    by_label = loss(make_logits(), {"valid": soft["valid"], "labels": labels})
    by_posterior = loss(make_logits(), {"valid": soft["valid"], "posterior": one_hot})
    for name in ("cross_entropy", "iou"):
        torch.testing.assert_close(by_label[name], by_posterior[name])


def test_weight_zero_leaves_the_gain_out() -> None:
    assert list(MiningLoss(iou_gain=0.0)(make_logits(), make_batch())) == ["cross_entropy"]


def test_gradient_through_the_grid() -> None:
    batch = make_batch(5)
    loss = MiningLoss(eta=0.6)
    assert torch.autograd.gradcheck(
        lambda grid: torch.stack(list(loss(grid, batch).values())).sum(), (make_logits().requires_grad_(),)
    )


def test_half_precision_logits_of_a_large_photo_stay_finite() -> None:
    labels = torch.zeros(1, 321, 321, dtype=torch.int64)  # 103,041 pixels, beyond half precision's 65,504
    batch = {"labels": labels, "valid": torch.ones_like(labels, dtype=torch.bool)}
    terms = MiningLoss()(torch.zeros(1, 2, 21, 21, dtype=torch.float16), batch)
    assert terms["cross_entropy"].item() == pytest.approx(math.log(2), rel=1e-4)
    assert terms["iou"].item() == pytest.approx(-0.25, rel=1e-4)  # label 0: 1/2, label 1 absent


def test_a_batch_without_targets_trains_nothing() -> None:
    batch = make_batch()
    grid = make_logits().requires_grad_()
    terms = MiningLoss(eta=0.5)(grid, batch | {"posterior": 0 * batch["posterior"]})
    torch.stack(list(terms.values())).sum().backward()
    assert [term.item() for term in terms.values()] == [0, 0]
    assert grid.grad is not None
    assert not grid.grad.any()


def test_descent_reaches_the_target() -> None:
    labels = torch.tensor([[[0, 1, 2], [2, 1, 255]]])
    batch = {"labels": labels, "valid": torch.ones_like(labels, dtype=torch.bool)}
    logits = torch.zeros(1, 3, 2, 3, requires_grad=True)
    optimiser = torch.optim.SGD([logits], lr=10.0)
    for _ in range(50):
        optimiser.zero_grad()
        torch.stack(list(MiningLoss()(logits, batch).values())).sum().backward()
        optimiser.step()
    assert logits.argmax(1)[labels != 255].tolist() == [0, 1, 2, 2, 1]
    assert not logits[0, :, 1, 2].any()


def test_a_section_of_the_parameters_makes_it() -> None:
    settings = {"heuristic": "max", "eta": 0, "iou_gain": 1}
    assert bind(MiningLoss, settings, "train_segmenter.mining_0") == MiningLoss(heuristic="max", eta=0.0, iou_gain=1.0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"heuristic": "median"}, r"x\.heuristic: 'median' is not one of"),
        ({"eta": 2}, r"x: eta must be in \[0, 1\], got 2"),
        ({"iou_gain": -1}, "x: iou_gain must not be negative, got -1"),
        ({"confidence_of": "prior"}, r"x\.confidence_of: 'prior'"),
        ({"ita": 0.1}, r"x\.ita: unknown key; did you mean eta\?"),
    ],
)
def test_a_wrong_section_is_one_line(settings: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        bind(MiningLoss, settings, "x")


def test_the_neighbourhood_is_a_term_of_its_own() -> None:
    batch = make_batch() | {"image": 255 * torch.rand(2, 3, 9, 9, generator=torch.Generator().manual_seed(2)).double()}
    loss = MiningLoss(iou_gain=0.0, neighbourhood_weight=0.25)
    terms = loss(make_logits(), batch)
    alone = loss.neighbourhood(make_logits(), batch["image"], batch["valid"][:, ::4, ::4])
    torch.testing.assert_close(terms["neighbourhood"], 0.25 * alone)
    assert list(terms) == ["cross_entropy", "neighbourhood"]
    with pytest.raises(ValueError, match=r"neighbourhood_weight must be in \[0, 1\], got 2"):
        MiningLoss(neighbourhood_weight=2)
