import numpy as np
import pytest

from wsss_core.cues.easy import EasyRule, easy_figures, reason, rejections

EASY = {"n_classes": 1, "short_side": 200, "area": 0.3, "offset": 0.1, "agreement": 0.5, "components": 1}


def scene(*boxes, size=(20, 30)):
    """Saliency of 0.9 in the boxes (top, bottom, left, right), 0.5 elsewhere, which is not salient."""
    saliency = np.full(size, 0.5)
    for top, bottom, left, right in boxes:
        saliency[top:bottom, left:right] = 0.9
    return saliency


def test_figures_of_one_box_by_hand():
    saliency, attention = scene((5, 15, 0, 10)), np.zeros((2, 20, 30))
    attention[0, 5:10, 0:10] = 0.8
    attention[1, 5:15, 10:15] = 0.6
    figures = easy_figures(saliency, attention)
    # The box's centroid lies at (9.5, 4.5), the image's centre at (9.5, 14.5); half the diagonal is √1300 / 2.
    assert figures == {
        "n_classes": 2,
        "short_side": 20,
        "area": 100 / 600,
        "offset": pytest.approx(10 / (np.sqrt(1300) / 2)),
        "agreement": 50 / 150,
        "components": 1,
    }


def test_centroid_is_over_all_pieces_by_their_size():
    # 40 pixels around x = 1.5 and 20 around x = 28.5: together at x = 10.5, 4 left of the centre.
    figures = easy_figures(scene((5, 15, 0, 4), (5, 15, 28, 30)), np.zeros((1, 20, 30)))
    assert figures["offset"] == pytest.approx(4 / (np.sqrt(1300) / 2)) and figures["components"] == 2


def test_centred_box_has_no_offset_and_specks_are_not_components():
    # 1 % of 20 × 30 is 6 pixels: a piece of 6 does not count, one of 7 does.
    assert easy_figures(scene((5, 15, 10, 20)), np.zeros((1, 20, 30)))["offset"] == pytest.approx(0, abs=1e-12)
    figures = easy_figures(scene((5, 15, 10, 20), (0, 1, 0, 6), (19, 20, 0, 7)), np.zeros((1, 20, 30)))
    assert figures["components"] == 2


def test_pieces_that_touch_at_a_corner_are_one():
    assert easy_figures(scene((0, 5, 0, 5), (5, 10, 5, 10)), np.zeros((1, 20, 30)))["components"] == 1


def test_nothing_salient():
    figures = easy_figures(np.zeros((20, 30)), np.zeros((0, 20, 30)))
    assert figures == {"n_classes": 0, "short_side": 20, "area": 0, "offset": 1, "agreement": 0, "components": 0}


def test_offset_is_a_share():
    corner = scene((0, 1, 0, 1), size=(200, 300))
    assert 0.98 < easy_figures(corner, np.zeros((1, 200, 300)))["offset"] <= 1


def test_shapes_are_checked():
    with pytest.raises(ValueError, match=r"got \(20, 30\) and \(1, 30, 20\)"):
        easy_figures(np.zeros((20, 30)), np.zeros((1, 30, 20)))


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({}, ""),
        ({"n_classes": 2}, "labels 2 > max_labels 1"),
        ({"short_side": 199}, "short side 199 < min_side 200"),
        ({"area": 0.02}, "salient area 0.02 < min_area 0.05"),
        ({"area": 0.82}, "salient area 0.82 > max_area 0.7"),
        ({"offset": 0.41}, "centroid offset 0.41 > max_offset 0.4"),
        ({"agreement": 0.125}, "agreement 0.125 < min_agreement 0.2"),
        ({"components": 4}, "components 4 > max_components 3"),
        ({"area": 0.82, "components": 4}, "salient area 0.82 > max_area 0.7"),
        ({"area": 0.05, "offset": 0.4, "agreement": 0.2, "components": 3}, ""),
    ],
)
def test_reason_is_the_first_broken_bound(change, text):
    assert reason({**EASY, **change}, EasyRule()) == text


def test_a_wider_rule_never_loses_an_image():
    rng = np.random.default_rng(0)
    wide = EasyRule(max_labels=3, min_side=100, min_area=0.01, max_area=0.9, max_offset=0.8, min_agreement=0.1)
    for _ in range(200):
        figures = {"n_classes": rng.integers(4), "short_side": rng.integers(90, 300), "components": rng.integers(5)}
        figures |= dict(zip(("area", "offset", "agreement"), rng.random(3), strict=True))
        assert reason(figures, EasyRule()) or not reason(figures, wide)


def test_rejections_are_counted_by_key():
    reasons = ["", *(reason({**EASY, **c}, EasyRule()) for c in ({"area": 0.8}, {"area": 0.9}, {"n_classes": 2}, {}))]
    assert rejections(reasons) == {"max_area": 2, "max_labels": 1}


def test_the_rule_checks_its_bounds():
    with pytest.raises(ValueError, match="min_area <= max_area <= 1, got 0.8 and 0.7"):
        EasyRule(min_area=0.8)
