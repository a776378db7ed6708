"""What the stage estep makes of a segmenter's scores."""

import numpy as np
import pytest
import torch

from stages.estep import EStep, label_posterior
from wsss_core.crf import DenseCRF
from wsss_core.em.estep import EStep as OnlineEStep

LABELS = np.asarray([0, 2], np.uint8)


def test_the_posterior_is_over_the_images_own_labels():
    logits = torch.tensor([0.0, 9.0, 1.0])[:, None, None].expand(3, 2, 2)
    found = label_posterior(logits, LABELS, np.zeros((2, 2, 3), np.uint8), EStep())
    share = 1 / (1 + np.e)
    assert np.allclose(found[:, 0, 0], [share, 1 - share])
    found = label_posterior(logits, LABELS, np.zeros((2, 2, 3), np.uint8), EStep(absent="share"))
    background = 1 / (1 + np.e + np.exp(9))
    assert np.allclose(found[:, 0, 0], [background, 1 - background])


def test_with_a_crf_pixels_of_one_colour_agree():
    photo = np.zeros((6, 8, 3), np.uint8)
    photo[:, 4:] = 200
    logits = torch.zeros(3, 6, 8)
    logits[2, :, :4] = -2.0
    logits[2, :, 4:] = 2.0
    logits[2, 2, 5] = -0.5  # a hole in the object
    without, with_crf = (label_posterior(logits, LABELS, photo, EStep(crf=c)).argmax(0) for c in (None, DenseCRF()))
    expected = np.zeros((6, 8), int)
    expected[:, 4:] = 1
    assert without[2, 5] == 0 and (with_crf == expected).all()
    soft = label_posterior(logits, LABELS, photo, EStep(crf=DenseCRF()))
    assert np.allclose(soft.sum(0), 1, atol=1e-5)


def test_an_image_without_a_class_is_background():
    found = label_posterior(torch.randn(3, 2, 2), LABELS[:1], np.zeros((2, 2, 3), np.uint8), EStep(crf=DenseCRF()))
    assert (found == 1).all() and found.shape == (1, 2, 2)


@pytest.mark.parametrize("kind", ["em_adapt", "adaptive_prior"])
def test_every_label_of_the_image_gets_its_part_of_the_pixels(kind):
    logits = torch.zeros(3, 1, 10)
    logits[0] = 4 + torch.arange(10)  # background everywhere, least surely on the left
    logits[1] = 9  # a class that the image lacks
    photo = np.zeros((1, 10, 3), np.uint8)
    assert (label_posterior(logits, LABELS, photo, EStep()).argmax(0) == 0).all()
    found = label_posterior(logits, LABELS, photo, EStep(shares=OnlineEStep(kind=kind, foreground=0.3)))
    assert np.allclose(found.sum(0), 1) and found[1].mean() == pytest.approx(0.3, abs=1e-4)
    assert (np.diff(found[1, 0]) <= 0).all()


def test_shares_are_for_e_steps_that_ask_for_some():
    with pytest.raises(ValueError, match="expected em_adapt or adaptive_prior, which ask for some, got em_fixed"):
        EStep(shares=OnlineEStep(kind="em_fixed"))


def test_cues_have_their_share_where_they_say_something():
    logits = torch.zeros(3, 1, 3)  # undecided: a half for each of the image's two labels
    cue = np.array([[2, 0, 255]], np.uint8)
    found = label_posterior(logits, LABELS, np.zeros((1, 3, 3), np.uint8), EStep(cue_weight=0.2), cue)
    assert np.allclose(found[1], [[0.6, 0.4, 0.5]]) and np.allclose(found.sum(0), 1)
    cue[0, 1] = 1  # a class that the image lacks says nothing
    found = label_posterior(logits, LABELS, np.zeros((1, 3, 3), np.uint8), EStep(cue_weight=0.2), cue)
    assert np.allclose(found[1], [[0.6, 0.5, 0.5]])
    with pytest.raises(ValueError, match=r"cue_weight must lie in \[0, 0.5\), got 0.5"):
        EStep(cue_weight=0.5)
