"""Online EM by hand, and without padding."""

import math

import pytest
import torch

from wsss_core.em.estep import EStep
from wsss_core.em.online import OnlineEM, on_grid

BOTH = OnlineEM(neighbourhood_weight=0.3)


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
    given = batch([[1, 0], [0, 1]], 5)
    terms = OnlineEM()(torch.zeros(2, 3, 2, 2), given, classes=("background", "cat", "dog"))
    shares = {"share_background": 0.5, "share_cat": 0.25, "share_dog": 0.25}
    assert set(terms) == {"cross_entropy", "violation", "scaled", *shares}
    assert terms["cross_entropy"].item() == pytest.approx(math.log(3))
    assert {name: terms[name].item() for name in shares} == pytest.approx(shares)
    assert terms["violation"].item() == terms["scaled"].item() == 0


def test_only_what_is_minimised_has_a_gradient():
    logits = torch.randn(2, 3, 3, 3, requires_grad=True)
    terms = BOTH(logits, batch([[1, 0], [1, 1]], 9))
    assert {name for name, term in terms.items() if term.requires_grad} == {"cross_entropy", "neighbourhood"}
    (gradient,) = torch.autograd.grad(terms["cross_entropy"], logits)
    q_minus_p = -18 * gradient  # 2 images of 9 nodes, q constant
    assert q_minus_p.sum(1).abs().max() < 1e-5
    assert (q_minus_p[0, 2] <= 1e-6).all()  # an absent class only loses


def test_the_weight_multiplies_the_neighbourhood_alone():
    logits, given = torch.randn(1, 2, 4, 4), batch([[1]], 13)
    one, half = (OnlineEM(neighbourhood_weight=w)(logits, given) for w in (1.0, 0.5))
    assert half["neighbourhood"].item() == pytest.approx(one["neighbourhood"].item() / 2)
    assert half["cross_entropy"].item() == one["cross_entropy"].item()


def test_four_classes_and_background_are_scaled_and_counted():
    terms = OnlineEM()(torch.randn(2, 5, 6, 6), batch([[1, 1, 1, 1], [1, 0, 0, 0]], 6))
    assert terms["scaled"].item() == 0.5


def test_padding_has_no_part():
    torch.manual_seed(0)
    logits = torch.randn(1, 3, 5, 5)
    valid = torch.zeros(1, 17, 17, dtype=torch.bool)
    valid[:, :9, :13] = True  # nodes every 4 pixels: 3 rows, 4 columns
    given = batch([[1, 1]], 17, valid)
    assert on_grid(valid, logits).sum() == 12
    padded = BOTH(logits, given)
    # The photo alone is not square, which no batch is; the loss does not mind.
    alone = {"image": given["image"][:, :, :9, :13], "tags": given["tags"], "valid": valid[:, :9, :13]}
    for name, term in BOTH(logits[:, :, :3, :4], alone).items():
        assert padded[name].item() == pytest.approx(term.item(), rel=1e-4, abs=1e-6), name


def mixed(side: int) -> dict[str, torch.Tensor]:
    """A labelled image, all dog but for an ignored column, and one with the tag cat."""
    labels = torch.full((2, side, side), 255)
    labels[0, :, :-1] = 2
    return batch([[0, 1], [1, 0]], side) | {"labels": labels, "labelled": torch.tensor([True, False])}


def test_masks_and_tags_in_one_batch_by_hand():
    """Nodes 0, 2, 4 of 5 pixels: 6 labelled ones with log 3, 3 ignored, 9 of the other image with log 3."""
    logits = torch.zeros(2, 3, 3, 3)
    logits[0, 2] = math.log(4)  # p(dog) = 4 / 6
    terms = OnlineEM()(logits, mixed(5))
    expected = (6 * math.log(6 / 4) + 9 * math.log(3)) / 15
    assert terms["cross_entropy"].item() == pytest.approx(expected)
    assert terms["share_0"].item() == pytest.approx(0.5)  # of the image with tags alone


def test_without_tagged_images_there_is_no_e_step():
    given = mixed(5)
    assert set(OnlineEM()(torch.zeros(2, 3, 3, 3), given | {"labelled": torch.tensor([True, True])})) == {
        "cross_entropy"
    }


@pytest.mark.parametrize("kind", ["adaptive_prior", "em_adapt", "em_fixed", "box_em_fixed"])
def test_a_class_that_the_data_set_does_not_know_has_no_part(kind):
    torch.manual_seed(0)
    logits, given = torch.randn(2, 3, 3, 3), mixed(5)
    loss = OnlineEM(estep=EStep(kind=kind), neighbourhood_weight=0.3)
    given["boxes"] = torch.ones(2, 3, 5, 5, dtype=torch.bool)
    alone = loss(logits, given)
    fourth = torch.cat([logits, 50 + torch.randn(2, 1, 3, 3)], dim=1).requires_grad_()
    more = {
        **given,
        "tags": torch.cat([given["tags"], torch.zeros(2, 1)], dim=1),
        "known": torch.tensor([[True, True, True, False]] * 2),
        "boxes": torch.ones(2, 4, 5, 5, dtype=torch.bool),
    }
    terms = loss(fourth, more)
    for name, term in alone.items():
        assert terms[name].item() == pytest.approx(term.item(), rel=1e-5, abs=1e-6), name
    (terms["cross_entropy"] + terms["neighbourhood"]).backward()
    assert fourth.grad is not None and not fourth.grad[:, 3].any() and fourth.grad[:, :3].any()


def test_the_tags_come_first_whatever_the_scores():
    logits, given = 9 * torch.randn(2, 3, 2, 2), batch([[1, 0], [1, 1]], 5)
    loss = OnlineEM(tags_first=0.4, estep=EStep(kind="em_fixed"))
    terms = loss(logits, given | {"done": torch.tensor(0.39)})
    assert [terms[f"share_{i}"].item() for i in range(3)] == pytest.approx([5 / 12, 5 / 12, 1 / 6])
    log_p = logits.log_softmax(1).mean((2, 3))
    expected = -((log_p[0, 0] + log_p[0, 1]) / 2 + log_p[1].mean()) / 2
    assert terms["cross_entropy"].item() == pytest.approx(expected.item(), rel=1e-5)
    after = loss(logits, given | {"done": torch.tensor(0.4)})
    assert after["cross_entropy"] == OnlineEM(estep=EStep(kind="em_fixed"))(logits, given)["cross_entropy"]


def test_before_the_first_e_step_a_class_stays_in_its_boxes():
    loss, given = OnlineEM(tags_first=0.4, estep=EStep(kind="box_em_fixed")), batch([[1, 0], [1, 1]], 5)
    # Of 4 nodes each: two of the first image lie in its box, one of the second in a box of either class.
    boxes = torch.zeros(2, 3, 5, 5, dtype=torch.bool)
    boxes[0, 1, 0], boxes[1, 1:, 4, 4] = True, True
    terms = loss(torch.randn(2, 3, 2, 2), given | {"done": torch.tensor(0.39), "boxes": boxes})
    expected = [(2 + 3) / 8, (2 + 1 / 2) / 8, (1 / 2) / 8]
    assert [terms[f"share_{i}"].item() for i in range(3)] == pytest.approx(expected)


def test_settings_out_of_range():
    for name in ("neighbourhood_weight", "tags_first"):
        with pytest.raises(ValueError, match=rf"{name} must be in \[0, 1\], got 1.5"):
            OnlineEM(**{name: 1.5})
    for name in ("background", "foreground"):
        with pytest.raises(ValueError, match=rf"{name} must be in \[0, 1\], got 1.5"):
            EStep(**{name: 1.5})
    with pytest.raises(ValueError, match="rounds must be at least 1, got 0"):
        EStep(rounds=0)
