"""Online EM by hand, and without padding."""

import math

import pytest
import torch

from wsss_core.em.online import AdaptivePriorEM, on_grid


def batch(tags: list[list[float]], side: int, valid: torch.Tensor | None = None) -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    whole = torch.ones(len(tags), side, side, dtype=torch.bool)
    return {
        "image": torch.rand(len(tags), 3, side, side) * 255,
        "tags": torch.tensor(tags),
        "valid": whole if valid is None else valid,
    }


def test_undecided_scores_by_hand():
    """Equal scores of 3 labels, one class present: q = ½ on two of them, p = ⅓: cross-entropy log 3."""
    terms = AdaptivePriorEM(neighbourhood_weight=0)(torch.zeros(2, 3, 2, 2), batch([[1, 0], [0, 1]], 5))
    assert set(terms) == {"cross_entropy", "background", "violation", "scaled"}
    assert terms["cross_entropy"].item() == pytest.approx(math.log(3))
    assert terms["background"].item() == pytest.approx(0.5)
    assert terms["violation"].item() == terms["scaled"].item() == 0


def test_only_what_is_minimised_has_a_gradient():
    logits = torch.randn(2, 3, 3, 3, requires_grad=True)
    terms = AdaptivePriorEM()(logits, batch([[1, 0], [1, 1]], 9))
    assert {name for name, term in terms.items() if term.requires_grad} == {"cross_entropy", "neighbourhood"}
    (gradient,) = torch.autograd.grad(terms["cross_entropy"], logits)
    q_minus_p = -18 * gradient  # 2 images of 9 nodes, q constant
    assert q_minus_p.sum(1).abs().max() < 1e-5
    assert (q_minus_p[0, 2] <= 1e-6).all()  # an absent class only loses


def test_the_weight_multiplies_the_neighbourhood_alone():
    logits, given = torch.randn(1, 2, 4, 4), batch([[1]], 13)
    one, half = (AdaptivePriorEM(neighbourhood_weight=w)(logits, given) for w in (1.0, 0.5))
    assert half["neighbourhood"].item() == pytest.approx(one["neighbourhood"].item() / 2)
    assert half["cross_entropy"].item() == one["cross_entropy"].item()


def test_four_classes_and_background_are_scaled_and_counted():
    terms = AdaptivePriorEM()(torch.randn(2, 5, 6, 6), batch([[1, 1, 1, 1], [1, 0, 0, 0]], 6))
    assert terms["scaled"].item() == 0.5


def test_padding_has_no_part():
    torch.manual_seed(0)
    logits = torch.randn(1, 3, 5, 5)
    valid = torch.zeros(1, 17, 17, dtype=torch.bool)
    valid[:, :9, :13] = True  # nodes every 4 pixels: 3 rows, 4 columns
    given = batch([[1, 1]], 17, valid)
    assert on_grid(valid, logits).sum() == 12
    padded = AdaptivePriorEM()(logits, given)
    # The photo alone is not square, which no batch is; the loss does not mind.
    alone = {"image": given["image"][:, :, :9, :13], "tags": given["tags"], "valid": valid[:, :9, :13]}
    for name, term in AdaptivePriorEM()(logits[:, :, :3, :4], alone).items():
        assert padded[name].item() == pytest.approx(term.item(), rel=1e-4, abs=1e-6), name


@pytest.mark.parametrize("name", ["background", "foreground", "neighbourhood_weight"])
def test_settings_out_of_range(name):
    with pytest.raises(ValueError, match=rf"{name} must be in \[0, 1\], got 1.5"):
        AdaptivePriorEM(**{name: 1.5})
