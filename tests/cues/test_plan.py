from functools import partial

import numpy as np
import pytest

from wsss_core.crf import DenseCRF
from wsss_core.cues.mining import mine_cam, mine_combined, mine_harmonic
from wsss_core.cues.plan import read_plan
from wsss_core.stage import InputError

SALIENCY, ATTENTION = np.random.default_rng(0).random((6, 7)), np.random.default_rng(1).random((2, 6, 7))
PHOTO = np.random.default_rng(2).integers(0, 256, (6, 7, 3), np.uint8)


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ({"rule": "max"}, mine_combined(SALIENCY, ATTENTION, (3, 5))),
        (
            {"rule": "max", "combine": "geometric", "threshold": 0.6, "background": 0.3},
            mine_combined(SALIENCY, ATTENTION, (3, 5), how="geometric", threshold=0.6, background=0.3),
        ),
        ({"rule": "harmonic"}, mine_harmonic(SALIENCY, ATTENTION, (3, 5))),
        (
            {"rule": "harmonic", "combine": "arithmetic", "threshold": 0.7},
            mine_harmonic(SALIENCY, ATTENTION, (3, 5), how="arithmetic", threshold=0.7),
        ),
        ({"rule": "cam"}, mine_cam(ATTENTION, (3, 5))),
        ({"rule": "cam", "low": 1, "high": 3}, mine_cam(ATTENTION, (3, 5), low=1, high=3)),
        (
            {"rule": "cam", "low": 1, "crf": {"bilateral_xy": 2}},
            mine_cam(ATTENTION, (3, 5), low=1, refine=partial(DenseCRF(bilateral_xy=2), PHOTO)),
        ),
    ],
)
def test_a_section_gives_its_rule_with_its_numbers(section, expected):
    assert (read_plan(section, "mine_cues.x").mine(SALIENCY, ATTENTION, [3, 5], PHOTO) == expected).all()


def test_what_is_left_out_follows_the_papers():
    plans = {rule: read_plan({"rule": rule}, "mine_cues.x") for rule in ("max", "harmonic", "cam")}
    assert {rule: plan.step for rule, plan in plans.items()} == {"max": 1, "harmonic": None, "cam": None}
    assert {rule: plan.images for rule, plan in plans.items()} == {"max": "easy", "harmonic": "all", "cam": "all"}
    assert [plan.needs_photo for plan in plans.values()] == [False] * 3
    assert read_plan({"rule": "cam", "crf": {}}, "mine_cues.x").needs_photo
    assert read_plan({"rule": "cam", "splits": ["train"]}, "mine_cues.x").splits == ("train",)


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({}, r"params.yaml: mine_cues.x.rule: None is not one of max, harmonic, cam"),
        ({"rule": "mean"}, r"mine_cues.x.rule: 'mean' is not one of max, harmonic, cam"),
        ({"rule": "harmonic", "background": 0.1}, "mine_cues.x.background: unknown key"),
        ({"rule": "cam", "threshold": 0.1}, "mine_cues.x.threshold: unknown key"),
        ({"rule": "cam", "step": 1}, "mine_cues.x.step: unknown key"),
        ({"rule": "max", "treshold": 0.1}, "mine_cues.x.treshold: unknown key; did you mean threshold"),
        ({"rule": "max", "combine": "mean"}, "mine_cues.x.combine: 'mean' is not one of"),
        ({"rule": "max", "images": "some"}, "mine_cues.x.images: 'some' is not one of 'easy', 'all'"),
        ({"rule": "max", "threshold": 50}, r"mine_cues.x: threshold: expected a number in \[0, 1\], got 50"),
        ({"rule": "cam", "crf": {"iterations": -1}}, "mine_cues.x.crf: expected iterations"),
        ({"rule": "cam", "low": 64}, "mine_cues.x: low, high: expected 0 < low <= high, got 64 and 32"),
    ],
)
def test_mistakes_are_named_before_any_image_is_read(section, message):
    with pytest.raises(InputError, match=message):
        read_plan(section, "mine_cues.x")
