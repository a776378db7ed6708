"""What the stages of affinity learning compute of one image, without the graph around them."""

import logging
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from stages.mine_regions import ConfidentRegions, Judge, warn
from stages.train_pixel_features import PixelPairs
from stages.train_regions import PureRegions
from stages.walk import Walk, revise


class Named:
    """Superpixels of one image, as a store gives them."""

    def __init__(self, numbers: np.ndarray) -> None:
        self.numbers = numbers

    def row_of(self, image_id: str) -> int:
        return 0

    def read(self, name: str, row: int) -> np.ndarray:
        return self.numbers


class Colours:
    """Stands for a region network: the pooled features are the logits."""

    def classify(self, pooled: torch.Tensor) -> torch.Tensor:
        return pooled


def test_every_pixel_of_a_confident_superpixel_gets_its_label():
    # Classes background, 1, 2; features on a grid of 1 × 3 nodes over 1 × 5 pixels, one superpixel per node's pixels.
    features = torch.tensor([[[0.0, 0.0, 9.0]], [[9.0, 0.0, 0.0]], [[0.0, 99.0, 0.0]]])
    superpixels = Named(np.array([[0, 1, 1, 1, 2]], np.uint16))
    judge = Judge(Colours(), superpixels, confidence=0.7, absent="drop", device=torch.device("cpu"))
    labels, figures = judge("a", features, (1, 5), [1, 2])
    assert labels.tolist() == [[1, 2, 2, 2, 0]] and labels.dtype == np.uint8
    assert figures == {"regions": 3, "confident_regions": 3, "labelled": 1.0, "confident_ids": [0, 1, 2]}
    labels, figures = judge("a", features, (1, 5), [1])  # class 2 is absent: nothing else stands out there
    assert labels.tolist() == [[1, 255, 255, 255, 0]]
    assert (figures["confident_regions"], figures["labelled"]) == (2, pytest.approx(0.4))
    labels, _ = replace(judge, absent="share")("a", features, (1, 5), [1])  # what is no background is class 1
    assert labels.tolist() == [[1, 1, 1, 1, 0]]


def test_images_without_a_confident_region_and_lost_classes_are_named(caplog):
    index = pd.DataFrame(
        {"confident_regions": [0, 2], "class_ids": [[1], [1, 2]], "confident_ids": [[], [0, 1]]}, index=["a", "b"]
    )
    with caplog.at_level(logging.WARNING):
        warn(index, ["background", "cat", "dog"])
    assert [record.getMessage() for record in caplog.records] == [
        "1 of 2 images have no confident region; nothing is learnt from them",
        "no confident region of dog in any image; lower mine_regions' confidence or train_regions' purity, "
        "or train longer",
    ]


def test_a_walk_stays_within_what_looks_alike():
    # Left and right half look different; the class was seen at one spot of the left half.
    features = torch.zeros(1, 6, 8)
    features[:, :, 4:] = 9
    attention = np.zeros((1, 41, 57), np.float32)
    attention[0, 16:24, 0:12] = 1
    scores = revise(features, attention, (41, 57), Walk(log2_steps=8), radius=5)
    assert scores.shape == (2, 41, 57) and scores.min() >= 0
    labels = scores.argmax(0)
    assert np.ptp(scores[1, :, :20]) < 0.01  # spread evenly over the left half …
    assert scores[1, :, 20].mean() > 100 * scores[1, :, 40].mean()  # … and not beyond
    assert (labels[:, 36:] == 0).all()
    still = revise(features, attention, (41, 57), Walk(), radius=0.5)  # no neighbour within reach: nothing moves
    assert still[1, 16, 8] > 0.9 and still[1, 16, 40] == 0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ConfidentRegions(confidence=1.0), r"confidence must lie in \[0, 1\)"),
        (lambda: PureRegions(images_seen=0), "images_seen must be at least 1"),
        (lambda: PixelPairs(images_seen=0), "images_seen must be at least 1"),
        (lambda: Walk(background=0), "background > 0"),
    ],
)
def test_settings_out_of_range_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
