"""What the stored E-step makes of a segmenter's scores."""

import numpy as np
import pytest
import torch

from stages.estep import StoredEStep
from wsss_core.crf import DenseCRF
from wsss_core.em.estep import EStep
from wsss_core.em.label_posterior import LabelPosterior
from wsss_core.stage import bind

LABELS = np.asarray([0, 2], np.uint8)


def test_the_posterior_is_over_the_images_own_labels():
    logits = torch.tensor([0.0, 9.0, 1.0])[:, None, None].expand(3, 2, 2)
    found = LabelPosterior()(logits, LABELS, np.zeros((2, 2, 3), np.uint8))[0]
    share = 1 / (1 + np.e)
    assert np.allclose(found[:, 0, 0], [share, 1 - share])
    found = LabelPosterior(absent="share")(logits, LABELS, np.zeros((2, 2, 3), np.uint8))[0]
    background = 1 / (1 + np.e + np.exp(9))
    assert np.allclose(found[:, 0, 0], [background, 1 - background])


def test_with_a_crf_pixels_of_one_colour_agree():
    photo = np.zeros((6, 8, 3), np.uint8)
    photo[:, 4:] = 200
    logits = torch.zeros(3, 6, 8)
    logits[2, :, :4] = -2.0
    logits[2, :, 4:] = 2.0
    logits[2, 2, 5] = -0.5  # a hole in the object
    without, with_crf = (LabelPosterior(crf=c)(logits, LABELS, photo)[0].argmax(0) for c in (None, DenseCRF()))
    expected = np.zeros((6, 8), int)
    expected[:, 4:] = 1
    assert without[2, 5] == 0 and (with_crf == expected).all()
    soft = LabelPosterior(crf=DenseCRF())(logits, LABELS, photo)[0]
    assert np.allclose(soft.sum(0), 1, atol=1e-5)


def test_an_image_without_a_class_is_background():
    found = LabelPosterior(crf=DenseCRF())(torch.randn(3, 2, 2), LABELS[:1], np.zeros((2, 2, 3), np.uint8))[0]
    assert (found == 1).all() and found.shape == (1, 2, 2)


@pytest.mark.parametrize("kind", ["em_adapt", "adaptive_prior"])
def test_every_label_of_the_image_gets_its_part_of_the_pixels(kind):
    logits = torch.zeros(3, 1, 10)
    logits[0] = 4 + torch.arange(10)  # background everywhere, least surely on the left
    logits[1] = 9  # a class that the image lacks
    photo = np.zeros((1, 10, 3), np.uint8)
    assert (LabelPosterior()(logits, LABELS, photo)[0].argmax(0) == 0).all()
    found = LabelPosterior(shares=EStep(kind=kind, foreground=0.3))(logits, LABELS, photo)[0]
    assert np.allclose(found.sum(0), 1) and found[1].mean() == pytest.approx(0.3, abs=1e-4)
    assert (np.diff(found[1, 0]) <= 0).all()


def test_shares_are_for_e_steps_that_ask_for_some():
    with pytest.raises(ValueError, match="expected em_adapt or adaptive_prior, which ask for some, got em_fixed"):
        LabelPosterior(shares=EStep(kind="em_fixed"))


def test_cues_have_their_share_where_they_say_something():
    logits = torch.zeros(3, 1, 3)  # undecided: a half for each of the image's two labels
    cue = np.array([[2, 0, 255]], np.uint8)
    found = LabelPosterior(cue_weight=0.2)(logits, LABELS, np.zeros((1, 3, 3), np.uint8), cue)[0]
    assert np.allclose(found[1], [[0.6, 0.4, 0.5]]) and np.allclose(found.sum(0), 1)
    cue[0, 1] = 1  # a class that the image lacks says nothing
    found = LabelPosterior(cue_weight=0.2)(logits, LABELS, np.zeros((1, 3, 3), np.uint8), cue)[0]
    assert np.allclose(found[1], [[0.6, 0.5, 0.5]])
    with pytest.raises(ValueError, match=r"cue_weight must lie in \[0, 0.5\), got 0.5"):
        LabelPosterior(cue_weight=0.5)


def test_an_image_has_the_same_shares_whatever_was_solved_before_it():
    """A resumed stage begins in the middle; the visiting order is the image's own."""
    logits = torch.randn(4, 12, 12, generator=torch.Generator().manual_seed(3))
    labels, photo = np.arange(4, dtype=np.uint8), np.zeros((12, 12, 3), np.uint8)
    solve = LabelPosterior(shares=EStep(kind="em_adapt", foreground=0.4))
    torch.manual_seed(0)
    found = [solve(logits, labels, photo, seed=7)[0] for _ in range(4)]
    assert all((again == found[0]).all() for again in found)
    others = [solve(logits, labels, photo, seed=seed)[0] for seed in range(8)]
    assert any((other != found[0]).any() for other in others)


def test_what_is_missing_of_the_shares_is_told():
    photo, logits = np.zeros((4, 4, 3), np.uint8), torch.zeros(3, 4, 4)
    _, figures = LabelPosterior(shares=EStep(foreground=0.4))(logits, np.arange(3, dtype=np.uint8), photo)
    assert figures["scaled"] == 1 and figures["violation"] == pytest.approx(0, abs=1e-3)  # .4 + .4 + .4 > 1
    assert LabelPosterior()(logits, LABELS, photo)[1] == {}


def test_absent_classes_cannot_be_shared_twice():
    with pytest.raises(ValueError, match="absent: with shares absent classes have none"):
        LabelPosterior(shares=EStep(), absent="share")


def test_a_section_of_estep_has_its_fields_from_both_modules():
    section = {"kind": "adapt", "absent": "share", "crf": {"bilateral_xy": 30}}
    chosen = bind(StoredEStep, section, "estep.x")
    assert chosen.crf == DenseCRF(bilateral_xy=30) and (chosen.kind, chosen.absent) == ("adapt", "share")
    assert bind(StoredEStep, {"shares": {"kind": "em_adapt"}}, "estep.x").shares == EStep(kind="em_adapt")
