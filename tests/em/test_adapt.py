"""EM-Adapt by hand, against a plain loop, and what it promises."""

import math

import numpy as np
import pytest
import torch

from wsss_core.em.adapt import em_adapt


def test_one_class_by_hand():
    # Foreground lacks 1, 2, 3, 4, 5 to background, which holds all; 20 % of 5 pixels is the one that lacks least.
    logits = torch.zeros(1, 2, 1, 5)
    logits[0, 1] = -torch.tensor([3.0, 1, 2, 5, 4])
    adapted = em_adapt(logits, torch.tensor([[True, True]]))
    assert adapted.labels.tolist() == [[[0, 1, 0, 0, 0]]]
    assert adapted.shortfall.item() == 0 and not adapted.scaled.item()
    assert em_adapt(logits, torch.tensor([[True, True]]), foreground=0.4).labels.tolist() == [[[0, 1, 1, 0, 0]]]


def test_labels_that_have_their_portions_are_left_alone():
    logits = torch.zeros(1, 3, 1, 10)
    logits[0, 0, 0, :6], logits[0, 2, 0, 6:] = 2, 2
    logits[0, 1] = 9  # absent
    adapted = em_adapt(logits, torch.tensor([[True, False, True]]))
    assert adapted.labels.flatten().tolist() == [0] * 6 + [2] * 4


def random_case(images: int = 24, classes: int = 6, side: int = 12, seed: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    logits = 4 * torch.randn(images, classes, side, side, generator=generator)
    logits += 6 * torch.randn(images, classes, 1, 1, generator=generator)  # confident networks
    present = torch.rand(images, classes, generator=generator) < 0.35
    present[:, 1] = True
    return logits, present


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(
    ("side", "missing"), [(41, [0, 0, 0.01, 0.01, 0.01, 0.01]), (13, [0, 0, 0.018, 0.03, 0.03, 0.03])]
)
def test_portions_are_reached_and_absent_classes_never_win(side, missing, seed):
    logits, present = random_case(images=40, side=side, seed=seed)
    adapted = em_adapt(logits, present, generator=torch.Generator().manual_seed(seed))
    classes = present[:, 1:].sum(1)
    assert (adapted.scaled == (classes > 3)).all() and adapted.scaled.any() and (classes == 3).any()
    assert (adapted.shortfall <= torch.tensor(missing)[classes]).all()
    for labels, classes in zip(adapted.labels, present, strict=True):
        assert set(labels.unique().tolist()) <= {0, *classes.nonzero().flatten().tolist()}


def test_an_image_that_has_its_portions_does_not_go_on_with_the_others():
    logits, present = random_case(side=13)
    alone = present[:, 1:].sum(1) == 1
    together = em_adapt(logits, present, rounds=1).labels
    assert torch.equal(together[alone], em_adapt(logits[alone], present[alone], rounds=1).labels)


def test_a_class_that_draws_level_gets_its_portion():
    logits = torch.zeros(1, 2, 10, 10)
    logits[:, 1, 3:] = -1  # level with background on 30 %, whose lower id would win
    adapted = em_adapt(logits, torch.tensor([[True, True]]))
    assert adapted.shortfall.item() == 0 and adapted.labels.float().mean().item() == pytest.approx(0.3)


def reference(
    scores: np.ndarray, present: list[int], orders: list[list[int]], portions: dict[int, float]
) -> np.ndarray:
    """The procedure for one image, one label at a time; scores (C, P)."""
    scores = scores.copy()
    for order in orders:
        for label in order:
            others = [other for other in present if other != label]
            lack = np.sort(scores[others].max(0) - scores[label])
            boost = lack[math.ceil(portions[label] * lack.size - 1e-9) - 1]
            scores[label] += boost + 1e-6 if boost >= 0 else 0
    return np.array(present)[scores[present].argmax(0)]


def test_equals_a_plain_loop_where_the_order_is_no_choice():
    """With one class the order is background, class."""
    logits, _ = random_case()
    present = torch.zeros(len(logits), 6, dtype=torch.bool)
    present[:, 4] = True
    labels = em_adapt(logits, present, rounds=3).labels
    for image, found in zip(logits.double(), labels, strict=True):
        expected = reference(image.flatten(1).numpy(), [0, 4], [[0, 4]] * 3, {0: 0.4, 4: 0.2})
        np.testing.assert_array_equal(found.flatten().numpy(), expected)


def test_the_order_follows_the_generator_and_an_image_its_own_classes():
    logits, present = random_case()
    one, same = (em_adapt(logits, present, generator=torch.Generator().manual_seed(5)).labels for _ in range(2))
    assert torch.equal(one, same)
    other = em_adapt(logits, present, generator=torch.Generator().manual_seed(6)).labels
    differ = (one != other).any(2).any(1)
    assert differ[present[:, 1:].sum(1) > 1].any() and not differ[present[:, 1:].sum(1) == 1].any()
    alone = em_adapt(logits[:1], present[:1], rounds=1, foreground=0.0)
    assert torch.equal(alone.labels, em_adapt(logits, present, rounds=1, foreground=0.0).labels[:1])


def test_padding_has_no_part():
    torch.manual_seed(0)
    logits = torch.randn(1, 3, 6, 6)
    valid = torch.zeros(1, 6, 6, dtype=torch.bool)
    valid[:, :4] = True
    present = torch.tensor([[True, False, True]])
    padded, alone = em_adapt(logits, present, valid=valid), em_adapt(logits[:, :, :4], present)
    assert torch.equal(padded.labels[:, :4], alone.labels)
    assert padded.shortfall.item() == alone.shortfall.item()


def test_out_of_range():
    logits, present = torch.zeros(1, 2, 2, 2), torch.tensor([[True, True]])
    with pytest.raises(ValueError, match=r"portions must be in \[0, 1\], got background 1.2"):
        em_adapt(logits, present, background=1.2)
    with pytest.raises(ValueError, match="rounds must be at least 1, got 0"):
        em_adapt(logits, present, rounds=0)
    with pytest.raises(ValueError, match=r"expected logits \(B, C, H, W\), got \(2, 2, 2\)"):
        em_adapt(logits[0], present[0])
