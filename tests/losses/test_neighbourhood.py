from itertools import product

import numpy as np
import pytest
import torch
from torch import Tensor

from wsss_core.crf.filtering import GaussianFilter
from wsss_core.losses.neighbourhood import NeighbourhoodKL


def scores(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def photo(*shape: int, seed: int = 0) -> Tensor:
    return 255 * torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def reference(loss: NeighbourhoodKL, logits: Tensor, colours: Tensor, stride: float) -> float:
    """Pixel by pixel, straight from eq. 8 to 12; colours (3, h, w) at the grid's nodes."""
    p = logits.softmax(0).flatten(1).T.numpy()
    height, width = logits.shape[1:]
    nodes = [np.array([x, y]) * stride for y in range(height) for x in range(width)]
    rgb = colours.flatten(1).T.numpy()
    total = 0.0
    for i in range(len(p)):
        others = [j for j in range(len(p)) if j != i]
        space = np.array([((nodes[i] - nodes[j]) ** 2).sum() for j in others])
        colour = np.array([((rgb[i] - rgb[j]) ** 2).sum() for j in others])
        k1 = np.exp(-colour / (2 * loss.bilateral_rgb**2) - space / (2 * loss.bilateral_xy**2))
        k2 = np.exp(-space / (2 * loss.gaussian_sigma**2))
        joint = loss.bilateral_weight * k1 + loss.gaussian_weight * k2
        apart = loss.bilateral_weight * k1 / k1.sum() + loss.gaussian_weight * k2 / k2.sum()
        if loss.form == "weighted_mean":
            neighbour = (joint / joint.sum()) @ p[others]
        else:
            exponent = (joint / joint.sum() if loss.normalised == "joint" else apart) @ p[others]
            neighbour = np.exp(exponent) / np.exp(exponent).sum()
        total += (p[i] * np.log(p[i] / neighbour)).sum()
    return total / len(p)


FORMS = [{"form": "weighted_mean"}, {"form": "exponentiated"}, {"form": "exponentiated", "normalised": "joint"}]


@pytest.mark.parametrize("options", FORMS)
def test_against_the_formulas(options: dict) -> None:
    loss = NeighbourhoodKL(**options, bilateral_rgb=60, gaussian_sigma=5)
    logits, images = scores(2, 3, 4, 5), photo(2, 3, 13, 17)  # stride 4: nodes on every fourth pixel
    expected = np.mean([reference(loss, logits[b], images[b, :, ::4, ::4], 4) for b in range(2)])
    assert loss(logits, images).item() == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(("options", "exact_up_to"), [*((form, 4096) for form in FORMS), (FORMS[1], 0)])
def test_gradcheck(options: dict, exact_up_to: int) -> None:
    loss = NeighbourhoodKL(**options, bilateral_rgb=60, exact_up_to=exact_up_to)
    images = photo(1, 3, 3, 3)
    assert torch.autograd.gradcheck(lambda x: loss(x, images), scores(1, 2, 3, 3).requires_grad_())


def test_a_detached_target_leaves_only_the_gradient_through_p() -> None:
    logits, images = scores(1, 3, 4, 4).requires_grad_(), photo(1, 3, 4, 4)
    through, constant = (NeighbourhoodKL(neighbour_target=t, bilateral_rgb=60) for t in ("gradient", "detached"))
    assert through(logits, images).item() == pytest.approx(constant(logits, images).item())
    (by_constant,) = torch.autograd.grad(constant(logits, images), logits)
    p = logits.softmax(1)[0].flatten(1).T
    target = through.log_neighbours(p.detach(), images[0].flatten(1).T, torch.ones(4, 4, dtype=torch.bool), 1)
    (expected,) = torch.autograd.grad((p * (p.log() - target)).sum(1).mean(), logits)
    torch.testing.assert_close(by_constant, expected, rtol=1e-4, atol=1e-7)
    (by_both,) = torch.autograd.grad(through(logits, images), logits)
    assert not torch.allclose(by_both, by_constant, rtol=1e-2)


def test_one_label_everywhere_is_the_minimum() -> None:
    """KL ≥ 0, and with the weighted mean it vanishes for any constant field (the paper's collapse)."""
    images = photo(1, 3, 9, 9)
    constant = torch.tensor([2.0, 0.0, -1.0]).reshape(1, 3, 1, 1).expand(1, 3, 9, 9)
    assert NeighbourhoodKL(form="weighted_mean")(constant, images).item() == pytest.approx(0, abs=1e-6)
    for options in FORMS:
        assert NeighbourhoodKL(**options)(scores(1, 3, 9, 9), images).item() > 0


def test_a_kernel_of_sum_one_is_almost_uniform_over_21_labels() -> None:
    """Exponents in [0, 1]: where all neighbours agree, p_nb = e / (e + 20) = 0.12; with weights 10 and 3, 0.9999."""
    p, inside = torch.zeros(9, 21), torch.ones(3, 3, dtype=torch.bool)
    p[:, 4] = 1.0
    for kernel, expected in (("joint", np.e / (np.e + 20)), ("each", np.exp(13) / (np.exp(13) + 20))):
        log_neighbours = NeighbourhoodKL(normalised=kernel).log_neighbours(p, torch.zeros(9, 3), inside, 4.0)
        assert log_neighbours[:, 4].exp().tolist() == pytest.approx([expected] * 9, rel=1e-4)


def test_widths_follow_the_output_stride() -> None:
    """The same grid from an image twice as large: widths twice as large give the same loss."""
    logits, colours = scores(1, 2, 5, 5), photo(1, 3, 5, 5)
    double = torch.nn.functional.interpolate(colours, size=(9, 9), mode="bilinear", align_corners=True)
    narrow = NeighbourhoodKL(gaussian_sigma=1.5, bilateral_xy=2, bilateral_rgb=200)
    wide = NeighbourhoodKL(gaussian_sigma=3, bilateral_xy=4, bilateral_rgb=200)
    assert wide(logits, double).item() == pytest.approx(narrow(logits, colours).item(), rel=1e-4)
    assert narrow(logits, double).item() != pytest.approx(narrow(logits, colours).item(), rel=1e-2)


@pytest.mark.parametrize("options", FORMS)
def test_lattice_is_near_all_pairs(options: dict) -> None:
    ramp = torch.linspace(0, 200, 25).expand(1, 3, 25, 25).contiguous()
    logits = torch.nn.functional.interpolate(scores(1, 3, 4, 4).float(), size=(25, 25), mode="bilinear")
    exact, lattice = (NeighbourhoodKL(**options, exact_up_to=n)(logits, ramp).item() for n in (4096, 0))
    assert lattice == pytest.approx(exact, rel=0.2)


def test_proposition_3_1() -> None:
    """At the mean-field optimum of the CRF prior (eq. 13 and 14) every q_i is its neighbourhood's (eq. 15).

    All 2^6 labelings of a 2 × 3 grid are counted, and KL(Q ‖ p_CRF) is minimised without the fixed-point formula.
    """
    rng = np.random.default_rng(0)
    colour = torch.from_numpy(rng.uniform(0, 255, (6, 3)))
    position = torch.tensor([[x, y] for y in range(2) for x in range(3)], dtype=torch.float64)
    filters = [
        (0.5, GaussianFilter(torch.cat([position / 3, colour / 200], 1), method="exact", exclude_self=True)),
        (0.3, GaussianFilter(position / 1.5, method="exact", exclude_self=True)),
    ]
    kernel = sum(w * f(torch.eye(6, dtype=torch.float64)) for w, f in filters)
    labelings = torch.tensor(list(product((0, 1), repeat=6)))  # (64, 6)
    same = (labelings[:, :, None] == labelings[:, None]).double()
    log_crf = (0.5 * (same * kernel).sum((1, 2))).log_softmax(0)  # Σ_{i<j}: the kernel has no diagonal
    logits = scores(6, 2).requires_grad_()
    optimiser = torch.optim.LBFGS(
        [logits], max_iter=500, tolerance_grad=1e-12, tolerance_change=1e-16, line_search_fn="strong_wolfe"
    )

    def divergence() -> Tensor:
        optimiser.zero_grad()
        log_q = logits.log_softmax(1)[torch.arange(6), labelings].sum(1)
        kl = (log_q.exp() * (log_q - log_crf)).sum()
        kl.backward()
        return kl

    optimiser.step(divergence)
    q = logits.detach().softmax(1)
    assert (q - 0.5).abs().min() > 0.05, "a uniform optimum would fulfil eq. 15 trivially"
    neighbours = sum(w * f(q) for w, f in filters).softmax(1)
    torch.testing.assert_close(q, neighbours, atol=1e-5, rtol=0)


@pytest.mark.parametrize("seed", range(3))
def test_the_loss_vanishes_at_a_fixed_point_of_mean_field(seed: int) -> None:
    """Proposition 3.1 by the updates themselves: one node after the other, from a start that is not uniform."""
    images = photo(1, 3, 3, 4, seed=seed)
    options = {"gaussian_weight": 0.4, "bilateral_weight": 0.8, "gaussian_sigma": 1.0, "bilateral_rgb": 120.0}
    loss = NeighbourhoodKL(normalised="none", **options)
    log_q = scores(1, 3, 3, 4, seed=seed).log_softmax(1)
    start = loss(log_q, images).item()
    colours, inside = images[0].flatten(1).T, torch.ones(3, 4, dtype=torch.bool)
    for _ in range(200):
        for node in range(12):
            rows = log_q[0].flatten(1).T.exp()
            log_q[0, :, node // 4, node % 4] = loss.log_neighbours(rows, colours, inside, 1)[node]
    assert log_q.exp().sub(1 / 3).abs().min() > 0.02, "a uniform fixed point would say nothing"
    assert start > 0.1
    assert loss(log_q, images).item() == pytest.approx(0, abs=1e-9)
    assert NeighbourhoodKL(normalised="each", **options)(log_q, images).item() > 1e-3


def test_errors() -> None:
    loss = NeighbourhoodKL()
    with pytest.raises(ValueError, match="one output stride for both axes, got 4 and 3"):
        loss(torch.zeros(1, 2, 4, 5), torch.zeros(1, 3, 13, 13))
    with pytest.raises(ValueError, match=r"images \(2, 3, 13, 17\)"):
        loss(torch.zeros(1, 2, 4, 5), torch.zeros(2, 3, 13, 17))
    with pytest.raises(ValueError, match="neighbour_target must be one of"):
        NeighbourhoodKL(neighbour_target="constant")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="form must be one of"):
        NeighbourhoodKL(form="median")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="bilateral_xy > 0, got 0"):
        NeighbourhoodKL(bilateral_xy=0)


@pytest.mark.parametrize("options", FORMS)
@pytest.mark.parametrize("exact_up_to", [4096, 0])
def test_padding_has_no_part(options: dict, exact_up_to: int) -> None:
    """A photo in the corner of a padded square gives the loss of the photo alone; an image all padding gives none."""
    loss = NeighbourhoodKL(**options, exact_up_to=exact_up_to)
    logits, images = scores(2, 3, 6, 7), photo(2, 3, 21, 25)
    valid = torch.zeros(2, 6, 7, dtype=torch.bool)
    valid[0, :4, :5] = True
    alone = loss(logits[:1, :, :4, :5], images[:1, :, :13, :17])
    assert loss(logits, images, valid).item() == pytest.approx(alone.item(), rel=1e-5)
    between = NeighbourhoodKL(**options, exact_up_to=30)  # more than the 20 valid nodes, fewer than the grid's 42
    lattice = NeighbourhoodKL(**options, exact_up_to=0)
    assert between(logits, images, valid).item() == lattice(logits, images, valid).item()
    nothing = loss(logits.requires_grad_(), images, torch.zeros_like(valid))
    assert nothing.item() == 0
    assert torch.autograd.grad(nothing, logits)[0].abs().sum() == 0
