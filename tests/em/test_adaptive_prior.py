import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from wsss_core.em.adaptive_prior import adaptive_prior


def random_scores(labels: int, scale: float, seed: int, pixels: int = 240) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(0, scale, (pixels, labels)) + rng.normal(0, 2 * scale, labels)


def solve(scores: np.ndarray, **shares: float):  # type: ignore[no-untyped-def]
    """One image of scores (P, n), every label present."""
    logits = torch.from_numpy(scores.T.reshape(1, scores.shape[1], -1, 1).copy())
    return adaptive_prior(logits, torch.ones(1, scores.shape[1], dtype=torch.bool), **shares)


def entropy(b: np.ndarray) -> np.ndarray:
    b = b - np.log(np.exp(b - b.max(-1, keepdims=True)).sum(-1, keepdims=True)) - b.max(-1, keepdims=True)
    return -(np.exp(b) * b).sum(-1)


def reached(scores: np.ndarray, b: np.ndarray) -> np.ndarray:
    z = scores + b
    q = np.exp(z - z.max(1, keepdims=True))
    return (q / q.sum(1, keepdims=True)).mean(0)


def test_one_label_by_hand() -> None:
    """All pixels have p_1 / p_0 = e^−4. Shares ½ and ½ need β_1 / β_0 = e^4."""
    out = solve(np.tile([4.0, 0.0], (6, 1)), background=0.5, foreground=0.5)
    assert float(out.log_prior[0, 1] - out.log_prior[0, 0]) == pytest.approx(4.0)
    torch.testing.assert_close(out.posterior, torch.full_like(out.posterior, 0.5))


@pytest.mark.parametrize("scale", [0.5, 2.0, 5.0])
@pytest.mark.parametrize("seed", range(4))
def test_one_label_against_a_fine_grid(scale: float, seed: int) -> None:
    """No β_1 on a grid of 4,001 log-odds that meets both shares has a higher entropy."""
    scores = random_scores(2, scale, seed)
    out = solve(scores)
    ours = out.log_prior[0].numpy()
    assert out.violation.item() == 0
    assert (reached(scores, ours) >= np.array([0.4, 0.2]) - 1e-9).all()
    grid = [b for x in np.linspace(-40, 40, 4001) if (reached(scores, b := np.array([0.0, x])) >= [0.4, 0.2]).all()]
    assert grid and entropy(ours) >= entropy(np.array(grid)).max() - 1e-12


def best_of_slsqp(scores: np.ndarray, c: np.ndarray, seed: int) -> float | None:
    """The highest entropy that SLSQP reaches from six starts; None where none of them ends feasible."""
    rng, labels = np.random.default_rng(seed), scores.shape[1]
    entropies = []
    for start in range(6):
        found = minimize(
            lambda x: -entropy(np.concatenate([[0], x])),
            rng.normal(0, 3, labels - 1) if start else np.zeros(labels - 1),
            constraints=[{"type": "ineq", "fun": lambda x: reached(scores, np.concatenate([[0], x])) - c}],
            method="SLSQP",
        )
        if (reached(scores, np.concatenate([[0], found.x])) >= c - 1e-7).all():
            entropies.append(-found.fun)
    return max(entropies, default=None)


@pytest.mark.parametrize("c", [(0.4, 0.2, 0.2), (0.3, 0.15, 0.15, 0.15)])
def test_several_labels_against_many_starts_of_slsqp(c: tuple[float, ...]) -> None:
    compared = 0
    for seed in range(10):
        scores = random_scores(len(c), 1.0, seed, pixels=60)
        out = solve(scores, background=c[0], foreground=c[1])
        ours = out.log_prior[0].numpy()
        assert out.violation.item() == 0
        assert (reached(scores, ours) >= np.array(c) - 1e-8).all()
        best = best_of_slsqp(scores, np.array(c), seed)
        if best is not None:
            compared += 1
            assert entropy(ours) >= best - 1e-4
    assert compared >= 5


def test_two_labels_against_a_fine_grid() -> None:
    """1,100 pixels in eleven copies of 100, of which the search compares its starts on every second."""
    scores = random_scores(3, 1.0, 7, pixels=100)
    out = solve(np.tile(scores, (11, 1)))
    axis = np.linspace(-12, 12, 121)
    b = np.stack([np.zeros(121**2), *(g.ravel() for g in np.meshgrid(axis, axis))], 1)
    z = scores[:, None] + b
    q = np.exp(z - z.max(2, keepdims=True))
    feasible = ((q / q.sum(2, keepdims=True)).mean(0) >= [0.4, 0.2, 0.2]).all(1)
    assert feasible.any()
    assert entropy(out.log_prior[0].numpy()) >= entropy(b[feasible]).max() - 1e-6


def test_no_preference_where_that_is_feasible() -> None:
    scores = np.repeat(np.eye(3) * 5, 20, axis=0)
    torch.testing.assert_close(
        solve(scores, background=0.3, foreground=0.3).log_prior.exp(), torch.full((1, 3), 1 / 3).double()
    )


@pytest.mark.parametrize("labels", [2, 3, 4])
def test_confident_networks_are_solved(labels: int) -> None:
    """Scores in the hundreds, one label far ahead: a grid over β finds nothing, log-odds do."""
    out = solve(random_scores(labels, 300.0, 1) + 500 * np.eye(labels)[0])
    assert out.violation.item() == 0
    shares = out.posterior.mean((2, 3))[0]
    assert (shares >= torch.tensor([0.4] + [0.2] * (labels - 1)) - 1e-6).all()


def test_too_many_labels_are_scaled_and_marked() -> None:
    """Background and 4 classes ask for 1.2: shares become ⅓ and ⅙, which sum to 1 and so hold exactly."""
    out = solve(random_scores(5, 2.0, 0))
    assert out.scaled.tolist() == [True]
    expected = torch.tensor([[1 / 3] + [1 / 6] * 4], dtype=torch.float64)
    torch.testing.assert_close(out.posterior.mean((2, 3)), expected, atol=1e-6, rtol=0)
    assert not solve(random_scores(4, 2.0, 0)).scaled.any()


def test_a_batch_mixes_label_sets() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(4, 5, 6, 7, generator=generator)
    present = torch.tensor([[0, 0, 1, 0, 0], [1, 1, 0, 0, 1], [1, 0, 0, 0, 0], [1, 1, 1, 1, 1]], dtype=torch.bool)
    out = adaptive_prior(logits, present)
    with_background = present.clone()
    with_background[:, 0] = True
    assert torch.equal(out.posterior.sum((2, 3)) > 0, with_background)
    assert torch.equal(torch.isfinite(out.log_prior), with_background)
    torch.testing.assert_close(out.posterior.sum(1), torch.ones(4, 6, 7))
    assert out.scaled.tolist() == [False, False, False, True]
    for image in range(4):
        alone = adaptive_prior(logits[image : image + 1], present[image : image + 1])
        torch.testing.assert_close(out.posterior[image], alone.posterior[0], atol=1e-4, rtol=1e-4)


def test_posterior_is_the_prior_applied() -> None:
    """q ∝ p·β whatever constant the logits carry, and constant for the gradient."""
    logits = torch.randn(
        2, 3, 4, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64, requires_grad=True
    )
    out = adaptive_prior(logits + 7, torch.ones(2, 3, dtype=torch.bool))
    product = logits.softmax(1) * out.log_prior.exp()[..., None, None]
    torch.testing.assert_close(out.posterior, (product / product.sum(1, keepdim=True)).detach())
    assert not out.posterior.requires_grad and not out.log_prior.requires_grad


def test_unreachable_shares_give_the_least_violation() -> None:
    """Two pixels sure of opposite labels: a prior near e^±900 still splits one of them ½ to ½, so that ¾ is reached.

    All pixels alike at 1e300 jump from share 0 over ½ to 1 between neighbouring floats: shares of 0.3 and 0.7 are then
    violated by 0.2 at least.
    """
    scores = np.array([[900.0, 0.0], [0.0, 900.0]])
    out = solve(scores, background=0.75, foreground=0.25)
    assert out.violation.item() == 0
    torch.testing.assert_close(out.posterior.mean((2, 3)), torch.tensor([[0.75, 0.25]], dtype=torch.float64))
    jumping = solve(np.tile([1e300, 0.0], (4, 1)), background=0.3, foreground=0.7)
    assert jumping.violation.item() == pytest.approx(0.2)
    assert torch.isfinite(jumping.posterior).all()


def test_errors() -> None:
    logits, present = torch.zeros(2, 3, 4, 4), torch.ones(2, 3, dtype=torch.bool)
    with pytest.raises(ValueError, match=r"got logits \(2, 3, 4, 4\), present torch.bool \(2, 2\)"):
        adaptive_prior(logits, present[:, :2])
    with pytest.raises(ValueError, match="finite"):
        adaptive_prior(logits / 0, present)
    with pytest.raises(ValueError, match="got background 1.4"):
        adaptive_prior(logits, present, background=1.4)


@pytest.mark.parametrize("labels", [2, 3, 4])
def test_padding_has_no_part_in_the_shares(labels: int) -> None:
    """A photo in the corner of a padded square gets the prior of the photo alone."""
    torch.manual_seed(labels)
    logits, present = 3 * torch.randn(1, labels, 9, 8), torch.ones(1, labels, dtype=torch.bool)
    valid = torch.zeros(1, 9, 8, dtype=torch.bool)
    valid[:, :6, :5] = True
    padded, alone = adaptive_prior(logits, present, valid=valid), adaptive_prior(logits[..., :6, :5], present)
    torch.testing.assert_close(padded.log_prior, alone.log_prior, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(padded.posterior[..., :6, :5], alone.posterior, rtol=1e-4, atol=1e-4)


def test_an_image_of_padding_alone_is_no_error() -> None:
    out = adaptive_prior(torch.zeros(1, 2, 3, 3), torch.ones(1, 2).bool(), valid=torch.zeros(1, 3, 3).bool())
    assert out.violation.item() == 0
