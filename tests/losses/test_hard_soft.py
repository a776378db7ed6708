import math

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from wsss_core.em import class_restricted_posterior
from wsss_core.losses.hard_soft import confidence_weight, hard_soft_cross_entropy

HEURISTICS = ["max", "relative"]
CONFIDENCES = ["posterior", "likelihood"]


def make_case(seed: int = 0, b: int = 2, c: int = 5, side: int = 6) -> tuple[Tensor, Tensor, Tensor]:
    """Logits, a posterior over 3 of the labels, and labelled pixels (two thirds of them), in double precision."""
    rng = torch.Generator().manual_seed(seed)
    logits = torch.randn(b, c, side, side, generator=rng, dtype=torch.float64) * 2
    present = torch.tensor([True, False, True, True, False]).expand(b, c)
    q = class_restricted_posterior(torch.randn(b, c, side, side, generator=rng, dtype=torch.float64), present)
    labelled = torch.rand(b, side, side, generator=rng) < 0.67
    return logits, q * labelled.unsqueeze(1), labelled


def row(*probabilities: float) -> Tensor:
    return torch.tensor(probabilities, dtype=torch.float64).reshape(1, -1, 1, 1)


def slow_hard_soft(logits: Tensor, q: Tensor, labelled: Tensor, heuristic: str, eta: float, of: str) -> float:
    """Equations 6 to 8, pixel by pixel."""
    losses = []
    for b, y, x in labelled.nonzero().tolist():
        scores, target = logits[b, :, y, x].tolist(), q[b, :, y, x].tolist()
        total = sum(math.exp(score) for score in scores)
        p = [math.exp(score) / total for score in scores]
        first, second = sorted(target if of == "posterior" else p, reverse=True)[:2]
        confidence = first if heuristic == "max" else (first - second) / first
        epsilon = 1.0 if confidence >= eta else confidence
        soft = -sum(t * math.log(likelihood) for t, likelihood in zip(target, p, strict=True))
        hard = -math.log(p[target.index(max(target))])
        losses.append((1 - epsilon) * soft + epsilon * hard)
    return sum(losses) / len(losses)


@pytest.mark.parametrize(
    ("heuristic", "eta", "expected"),
    [
        ("max", 0.5, 1.0),  # .5 ≥ .5
        ("max", 0.51, 0.5),
        ("relative", 0.4, 1.0),  # (.5 − .3) / .5 = .4
        ("relative", 0.41, 0.4),
        ("relative", 0.0, 1.0),
    ],
)
def test_weight_by_hand(heuristic: str, eta: float, expected: float) -> None:
    weight = confidence_weight(row(0.2, 0.5, 0.3), heuristic=heuristic, eta=eta)  # type: ignore[arg-type]
    assert weight.shape == (1, 1, 1)
    assert weight.item() == pytest.approx(expected, abs=1e-12)


def test_relative_weight_of_a_tie_is_zero_and_of_an_empty_row_finite() -> None:
    assert confidence_weight(row(0.4, 0.4, 0.2), heuristic="relative", eta=0.05).item() == 0
    assert confidence_weight(row(0, 0, 0), heuristic="relative", eta=0.05).item() == 0


def test_the_weight_is_a_constant_for_the_gradient() -> None:
    assert not confidence_weight(row(0.2, 0.8).requires_grad_(), heuristic="max", eta=0.9).requires_grad


def test_loss_by_hand() -> None:
    # p = (1/4, 3/4); q = (3/4, 1/4); relative: r = 2/3 < .7, so 1/3 of the soft and 2/3 of the hard loss.
    logits, q, labelled = row(0.0, math.log(3)), row(0.75, 0.25), torch.ones(1, 1, 1, dtype=torch.bool)
    soft = 0.75 * math.log(4) + 0.25 * math.log(4 / 3)
    expected = soft / 3 + 2 / 3 * math.log(4)
    loss = hard_soft_cross_entropy(logits, q, labelled, heuristic="relative", eta=0.7)
    assert loss.item() == pytest.approx(expected, abs=1e-12)


def test_likelihood_confidence_by_hand() -> None:
    # p_max = .6 < .65 mixes; the posterior's .9 would not.
    logits, q, labelled = row(math.log(0.6), math.log(0.4)), row(0.1, 0.9), torch.ones(1, 1, 1, dtype=torch.bool)
    soft, hard = -0.1 * math.log(0.6) - 0.9 * math.log(0.4), -math.log(0.4)
    loss = hard_soft_cross_entropy(logits, q, labelled, heuristic="max", eta=0.65, confidence_of="likelihood")
    assert loss.item() == pytest.approx(0.4 * soft + 0.6 * hard, abs=1e-12)


@pytest.mark.parametrize("of", CONFIDENCES)
@pytest.mark.parametrize("eta", [0.0, 0.05, 0.25, 0.6, 0.9, 1.0])
@pytest.mark.parametrize("heuristic", HEURISTICS)
def test_equals_the_slow_reference(heuristic: str, eta: float, of: str) -> None:
    case = make_case()
    loss = hard_soft_cross_entropy(*case, heuristic=heuristic, eta=eta, confidence_of=of)  # type: ignore[arg-type]
    assert loss.item() == pytest.approx(slow_hard_soft(*case, heuristic, eta, of), rel=1e-10)


@pytest.mark.parametrize("heuristic", HEURISTICS)
@pytest.mark.parametrize("seed", range(3))
def test_eta_zero_is_the_cross_entropy_with_ignore_of_the_argmax(heuristic: str, seed: int) -> None:
    logits, q, labelled = make_case(seed)
    hard = torch.where(labelled, q.argmax(1), 255)
    loss = hard_soft_cross_entropy(logits, q, labelled, heuristic=heuristic, eta=0.0)  # type: ignore[arg-type]
    torch.testing.assert_close(loss, cross_entropy(logits, hard, ignore_index=255))


@pytest.mark.parametrize("eta", [0.1, 0.2, 1 / 3])
@pytest.mark.parametrize("seed", range(3))
def test_max_is_the_hard_loss_up_to_one_over_present_labels(eta: float, seed: int) -> None:
    case = make_case(seed)  # two classes and background: the highest of three probabilities is at least 1/3
    hard = hard_soft_cross_entropy(*case, heuristic="max", eta=0.0)
    torch.testing.assert_close(hard_soft_cross_entropy(*case, heuristic="max", eta=eta), hard)


def test_max_above_that_bound_is_not_the_hard_loss() -> None:
    case = make_case()
    hard = hard_soft_cross_entropy(*case, heuristic="max", eta=0.0)
    assert abs(hard_soft_cross_entropy(*case, heuristic="max", eta=0.7) - hard) > 1e-3


@pytest.mark.parametrize("of", CONFIDENCES)
@pytest.mark.parametrize("eta", [0.05, 0.7, 1.0])
@pytest.mark.parametrize("heuristic", HEURISTICS)
def test_one_hot_targets_make_all_settings_equal(heuristic: str, eta: float, of: str) -> None:
    logits, q, labelled = make_case()
    one_hot = torch.zeros_like(q).scatter_(1, q.argmax(1, keepdim=True), 1.0)
    plain = hard_soft_cross_entropy(logits, one_hot, labelled, heuristic="max", eta=0.0)
    settings = {"heuristic": heuristic, "eta": eta, "confidence_of": of}
    torch.testing.assert_close(hard_soft_cross_entropy(logits, one_hot, labelled, **settings), plain)  # type: ignore[arg-type]


@pytest.mark.parametrize("of", CONFIDENCES)
@pytest.mark.parametrize("heuristic", HEURISTICS)
def test_unlabelled_pixels_count_for_nothing(heuristic: str, of: str) -> None:
    logits, q, labelled = make_case()
    settings = {"heuristic": heuristic, "eta": 0.5, "confidence_of": of}
    noise = torch.where(labelled.unsqueeze(1), 0.0, 50.0 * torch.randn(logits.shape, dtype=torch.float64))
    first = hard_soft_cross_entropy(logits, q, labelled, **settings)  # type: ignore[arg-type]
    other = hard_soft_cross_entropy(logits + noise, q + noise.abs(), labelled, **settings)  # type: ignore[arg-type]
    torch.testing.assert_close(first, other)


@pytest.mark.parametrize("heuristic", HEURISTICS)
def test_no_labelled_pixel_gives_zero_and_a_gradient_of_zeros(heuristic: str) -> None:
    logits, q, labelled = make_case()
    logits.requires_grad_()
    nowhere = torch.zeros_like(labelled)
    loss = hard_soft_cross_entropy(logits, 0 * q, nowhere, heuristic=heuristic, eta=0.5)  # type: ignore[arg-type]
    loss.backward()
    assert loss.item() == 0
    assert logits.grad is not None
    assert not logits.grad.any()


@pytest.mark.parametrize("heuristic", HEURISTICS)
def test_extreme_logits_stay_finite(heuristic: str) -> None:
    logits = torch.tensor([1e30, -1e30, 0.0]).reshape(1, 3, 1, 1).requires_grad_()
    q, labelled = row(0.7, 0.0, 0.3).float(), torch.ones(1, 1, 1, dtype=torch.bool)
    loss = hard_soft_cross_entropy(logits, q, labelled, heuristic=heuristic, eta=0.9)  # type: ignore[arg-type]
    loss.backward()
    assert loss.isfinite()
    assert logits.grad is not None
    assert logits.grad.isfinite().all()


@pytest.mark.parametrize("heuristic", HEURISTICS)
@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
def test_gradient(heuristic: str, eta: float) -> None:
    logits, q, labelled = make_case(b=1, side=3)

    def loss(scores: Tensor) -> Tensor:
        return hard_soft_cross_entropy(scores, q, labelled, heuristic=heuristic, eta=eta)  # type: ignore[arg-type]

    assert torch.autograd.gradcheck(loss, (logits.requires_grad_(),))


def test_soft_gradient_vanishes_where_the_network_agrees_and_hard_does_not() -> None:
    logits = torch.tensor([0.3, -0.2]).reshape(1, 2, 1, 1).requires_grad_()
    labelled = torch.ones(1, 1, 1, dtype=torch.bool)
    q = logits.detach().softmax(1)
    (soft,) = torch.autograd.grad(
        hard_soft_cross_entropy(logits, torch.full_like(q, 0.5), labelled, heuristic="relative", eta=0.5), logits
    )
    (hard,) = torch.autograd.grad(hard_soft_cross_entropy(logits, q, labelled, heuristic="relative", eta=0.0), logits)
    # A tied q has ε = 0: the gradient is p − q. The hard one is p − onehot.
    torch.testing.assert_close(soft.flatten(), (q - 0.5).flatten())
    torch.testing.assert_close(hard.flatten(), q.flatten() - torch.tensor([1.0, 0.0]))


def test_settings_and_shapes_are_checked_at_the_door() -> None:
    logits, q, labelled = make_case()
    with pytest.raises(ValueError, match=r"heuristic must be one of .*'median'"):
        confidence_weight(q, heuristic="median", eta=0.1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"eta must be in \[0, 1\], got 1.5"):
        confidence_weight(q, heuristic="max", eta=1.5)
    with pytest.raises(ValueError, match=r"confidence_of must be one of .*'q'"):
        hard_soft_cross_entropy(logits, q, labelled, heuristic="max", eta=0.1, confidence_of="q")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="C ≥ 2"):
        confidence_weight(q[:, :1], heuristic="max", eta=0.1)
    with pytest.raises(ValueError, match=r"q \(2, 4, 6, 6\)"):
        hard_soft_cross_entropy(logits, q[:, 1:], labelled, heuristic="max", eta=0.1)
    with pytest.raises(ValueError, match=r"labelled \(1, 6, 6\)"):
        hard_soft_cross_entropy(logits, q, labelled[:1], heuristic="max", eta=0.1)
