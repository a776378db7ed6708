import math

import pytest
import torch

from wsss_core.em import class_restricted_posterior, mixed_with_labels, restricted_argmax

PRESENT = torch.tensor([True, False, True, False, True])


def make_logits() -> torch.Tensor:
    return 3 * torch.randn(2, 5, 4, 6, generator=torch.Generator().manual_seed(0))


def test_by_hand() -> None:
    # e^f = (1, 100, 3): without label 1 the shares are 1/4 and 3/4.
    logits = torch.tensor([0.0, math.log(100), math.log(3)]).reshape(3, 1, 1)
    present = torch.tensor([True, False, True])
    assert class_restricted_posterior(logits, present).flatten().tolist() == pytest.approx([0.25, 0, 0.75])
    assert restricted_argmax(logits, present).tolist() == [[2]]


def test_is_the_softmax_over_the_present_labels_alone() -> None:
    logits = make_logits()
    posterior = class_restricted_posterior(logits, PRESENT.expand(2, 5))
    torch.testing.assert_close(posterior[:, PRESENT], logits[:, PRESENT].softmax(1))
    assert (posterior[:, ~PRESENT] == 0).all()


def test_is_the_likelihood_renormalised() -> None:
    likelihood = make_logits().softmax(1) * PRESENT[:, None, None]
    posterior = class_restricted_posterior(make_logits(), PRESENT.expand(2, 5))
    torch.testing.assert_close(posterior, likelihood / likelihood.sum(1, keepdim=True))


def test_shared_by_hand() -> None:
    # shares (.2, .5, .1, .2): of the .8 that is no background, label 1's .5 goes to labels 2 and 3 as 1 to 2.
    logits = torch.tensor([0.2, 0.5, 0.1, 0.2]).log().reshape(4, 1, 1)
    present = torch.tensor([True, False, True, True])
    shared = class_restricted_posterior(logits, present, absent="share")
    assert shared.flatten().tolist() == pytest.approx([0.2, 0, 0.8 / 3, 1.6 / 3])
    assert class_restricted_posterior(logits, present).flatten().tolist() == pytest.approx([0.4, 0, 0.2, 0.4])
    nothing = torch.tensor([True, False, False, False])
    assert class_restricted_posterior(logits, nothing, absent="share").flatten().tolist() == [1, 0, 0, 0]


def test_shared_sums_to_one_image_by_image_and_keeps_the_background() -> None:
    logits, other = make_logits(), torch.tensor([True, True, False, False, False])
    both = class_restricted_posterior(logits, torch.stack([PRESENT, other]), absent="share")
    torch.testing.assert_close(both.sum(1), torch.ones(2, 4, 6))
    torch.testing.assert_close(both[:, 0], logits.softmax(1)[:, 0])
    torch.testing.assert_close(both[1], class_restricted_posterior(logits[1], other, absent="share"))
    everything = torch.ones(5, dtype=torch.bool)
    shared = class_restricted_posterior(logits[0], everything, absent="share")
    torch.testing.assert_close(shared, logits[0].softmax(0))


def test_each_image_has_its_own_labels() -> None:
    logits, other = make_logits(), torch.tensor([True, True, False, False, False])
    both = class_restricted_posterior(logits, torch.stack([PRESENT, other]))
    labels = restricted_argmax(logits, torch.stack([PRESENT, other]))
    for image, present in enumerate((PRESENT, other)):
        torch.testing.assert_close(both[image], class_restricted_posterior(logits[image], present))
        assert torch.equal(labels[image], restricted_argmax(logits[image], present))


def test_the_argmax_is_that_of_the_posterior_and_never_absent() -> None:
    logits, present = make_logits(), PRESENT.expand(2, 5)
    labels = restricted_argmax(logits, present)
    assert torch.equal(labels, class_restricted_posterior(logits, present).argmax(1))
    assert set(labels.unique().tolist()) == {0, 2, 4}
    assert labels.dtype == torch.int64


def test_background_is_always_there_and_the_input_stays_as_it_was() -> None:
    nothing = torch.zeros(5, dtype=torch.bool)
    logits = make_logits()
    posterior = class_restricted_posterior(logits, nothing.expand(2, 5))
    assert (posterior[:, 0] == 1).all()
    assert not restricted_argmax(logits, nothing.expand(2, 5)).any()
    assert not nothing.any()
    assert torch.equal(logits, make_logits())


@pytest.mark.parametrize("extreme", [1e4, 3e38, -3e38])
def test_extreme_scores_make_no_nan(extreme: float) -> None:
    logits = make_logits()
    logits[:, 1] = logits[0, 2] = extreme
    logits[1, 0] = -extreme
    posterior = class_restricted_posterior(logits, PRESENT.expand(2, 5))
    assert posterior.isfinite().all()
    assert (posterior[:, 1] == 0).all()
    torch.testing.assert_close(posterior.sum(1), torch.ones(2, 4, 6))
    assert PRESENT[restricted_argmax(logits, PRESENT.expand(2, 5))].all()


def test_an_absent_class_far_above_all_present_ones_stays_out() -> None:
    logits = make_logits() - 1e6 * PRESENT[:, None, None]
    assert (class_restricted_posterior(logits, PRESENT.expand(2, 5))[:, ~PRESENT] == 0).all()
    assert PRESENT[restricted_argmax(logits, PRESENT.expand(2, 5))].all()


@pytest.mark.parametrize("broken", [math.nan, math.inf, -math.inf])
def test_scores_of_a_diverged_network_are_refused(broken: float) -> None:
    logits = make_logits()
    logits[0, 3, 1, 1] = broken
    with pytest.raises(ValueError, match="finite logits.*diverged"):
        class_restricted_posterior(logits, PRESENT.expand(2, 5))


def test_shapes_and_dtype_are_checked_at_the_door() -> None:
    with pytest.raises(ValueError, match=r"present \(5,\)"):
        class_restricted_posterior(make_logits(), PRESENT)
    with pytest.raises(ValueError, match=r"logits \(4, 6\)"):
        restricted_argmax(make_logits()[0, 0], PRESENT)
    with pytest.raises(ValueError, match=r"dtype bool, got torch\.float32"):
        restricted_argmax(make_logits()[0], PRESENT.float())


def test_mixed_with_labels_by_hand() -> None:
    posterior = torch.tensor([[0.9, 0.3, 0.3], [0.1, 0.7, 0.7]])[:, None]
    mixed = mixed_with_labels(posterior, torch.tensor([[1, 0, 255]]), weight=0.4)
    torch.testing.assert_close(mixed[:, 0], torch.tensor([[0.54, 0.58, 0.3], [0.46, 0.42, 0.7]]))
    assert torch.equal(mixed_with_labels(posterior, torch.tensor([[1, 0, 1]]), weight=0.0), posterior)


def test_a_network_overrules_a_label_where_it_is_surer_than_its_weight() -> None:
    sure = torch.tensor([0.49, 0.51])[:, None, None]
    flat = torch.zeros(1, 1, dtype=torch.int64)
    assert mixed_with_labels(sure, flat, weight=0.01).argmax(0).item() == 1  # .02 > .01 / .99
    assert mixed_with_labels(sure, flat, weight=0.03).argmax(0).item() == 0  # .02 < .03 / .97


def test_labels_that_do_not_fit_are_refused() -> None:
    posterior = torch.full((2, 1, 2), 0.5)
    with pytest.raises(ValueError, match=r"posterior has shape \(2, 1, 2\), labels \(2, 1\)"):
        mixed_with_labels(posterior, torch.zeros(2, 1, dtype=torch.int64), weight=0.1)
    with pytest.raises(ValueError, match=r"labels in 0\.\.1 or 255"):
        mixed_with_labels(posterior, torch.tensor([[0, 2]]), weight=0.1)
    with pytest.raises(ValueError, match=r"weight in \[0, 0\.5\), got 0\.5"):
        mixed_with_labels(posterior, torch.zeros(1, 2, dtype=torch.int64), weight=0.5)
