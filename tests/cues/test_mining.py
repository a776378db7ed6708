"""Every rule against the paper's loop over pixels, written out."""

import math

import numpy as np
import pytest

from wsss_core.cues.mining import combine, label_shares, mine_cam, mine_combined, mine_harmonic

HOWS = ["max", "arithmetic", "geometric", "harmonic"]
IMAGES = [(seed, ids) for seed, ids in enumerate([(), (3,), (2, 17), (1, 5, 254)])]


def stored(rng, *shape):
    """Maps as they come from an artifact: many exact zeros, ones and ties."""
    values = rng.choice([0, 0, 12, 13, 50, 102, 127, 128, 200, 255], shape)
    return (values / np.float32(255)).astype(np.float32)


def image(seed, ids):
    rng = np.random.default_rng(seed)
    return stored(rng, 13, 17), stored(rng, len(ids), 13, 17)


def h(s, a, how):
    if how == "max":
        return max(s, a)
    if how == "arithmetic":
        return (a + s) / 2
    if how == "geometric":
        return np.sqrt(a * s)
    return 2 * a * s / (a + s) if a + s > 0 else np.float32(0)


def reference_combined(saliency, attention, ids, how, threshold, background):
    labels = np.full(saliency.shape, 255, np.uint8)
    for m in np.ndindex(saliency.shape):
        best = -1
        for k, class_id in enumerate(ids):
            if h(saliency[m], attention[k][m], how) >= threshold and attention[k][m] > best:
                best, labels[m] = attention[k][m], class_id
        if best < 0 and saliency[m] < background:
            labels[m] = 0
    return labels


def reference_harmonic(saliency, attention, ids, how, threshold):
    labels = np.zeros(saliency.shape, np.uint8)
    for m in np.ndindex(saliency.shape):
        best = -1
        for k, class_id in enumerate(ids):
            score = h(saliency[m], attention[k][m], how)
            if score >= threshold and score > best:
                best, labels[m] = score, class_id
    return labels


def reference_cam(attention, ids, low, high):
    labels = np.full(attention.shape[1:], 255, np.uint8)
    for m in np.ndindex(labels.shape):
        scores = [attention[k][m] for k in range(len(ids))]
        top = max(scores, default=np.float32(0))
        if top > (1 - top) ** low:
            labels[m] = ids[scores.index(top)]
        elif top <= (1 - top) ** high:
            labels[m] = 0
    return labels


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize(("seed", "ids"), IMAGES)
def test_combined_rule_is_the_loop_over_pixels(seed, ids, how):
    saliency, attention = image(seed, ids)
    for threshold, background in [(0.5, 0.05), (0.4, 0.2), (0.0, 0.0)]:
        mined = mine_combined(saliency, attention, ids, how=how, threshold=threshold, background=background)
        assert (mined == reference_combined(saliency, attention, ids, how, threshold, background)).all()
        assert mined.dtype == np.uint8


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize(("seed", "ids"), IMAGES)
def test_harmonic_rule_is_the_loop_over_pixels(seed, ids, how):
    saliency, attention = image(seed, ids)
    for threshold in (0.4, 0.5):
        mined = mine_harmonic(saliency, attention, ids, how=how, threshold=threshold)
        assert (mined == reference_harmonic(saliency, attention, ids, how, threshold)).all()
        assert mined.dtype == np.uint8 and not (mined == 255).any()


@pytest.mark.parametrize(("seed", "ids"), IMAGES)
def test_cam_rule_is_the_loop_over_pixels(seed, ids):
    _, attention = image(seed, ids)
    for low, high in [(4, 32), (2, 8), (4, 4)]:
        mined = mine_cam(attention, ids, low=low, high=high)
        assert (mined == reference_cam(attention, ids, low, high)).all() and mined.dtype == np.uint8


@pytest.mark.parametrize(("seed", "ids"), IMAGES)
def test_a_cue_never_holds_an_absent_class(seed, ids):
    saliency, attention = image(seed, ids)
    for how in HOWS:
        assert set(np.unique(mine_combined(saliency, attention, ids, how=how))) <= {0, *ids, 255}
        assert set(np.unique(mine_harmonic(saliency, attention, ids, how=how))) <= {0, *ids}
    assert set(np.unique(mine_cam(attention, ids))) <= {0, *ids, 255}


def test_combinations_by_hand():
    saliency, attention = np.array([[0.0, 0.9, 0.5, 1.0]]), np.array([[[0.0, 0.1, 0.5, 0.0]]])
    expected = {
        "max": [0.0, 0.9, 0.5, 1.0],
        "arithmetic": [0.0, 0.5, 0.5, 0.5],
        "geometric": [0.0, 0.3, 0.5, 0.0],
        "harmonic": [0.0, 0.18, 0.5, 0.0],
    }
    for how, values in expected.items():
        assert np.allclose(combine(attention, saliency, how), [[values]], rtol=0, atol=1e-12)


def test_the_means_are_ordered():
    saliency, attention = image(7, (1, 2))
    maximum, arithmetic, geometric, harmonic = (combine(attention, saliency, how) for how in HOWS)
    slack = 1e-6
    assert (harmonic <= geometric + slack).all() and (geometric <= arithmetic + slack).all()
    assert (arithmetic <= maximum + slack).all() and (harmonic >= 0).all() and (maximum <= 1).all()


def test_rules_by_hand():
    # Pixels: salient, both attend | not salient, 9 attends | nothing | faintly salient.
    saliency = np.array([[0.9, 0.0, 0.04, 0.05]])
    attention = np.array([[[0.6, 0.1, 0.0, 0.0]], [[0.7, 0.8, 0.0, 0.0]]])
    assert mine_combined(saliency, attention, (4, 9)).tolist() == [[9, 9, 0, 255]]
    assert mine_combined(saliency, attention, (4, 9), how="harmonic").tolist() == [[9, 0, 0, 255]]
    assert mine_harmonic(saliency, attention, (4, 9)).tolist() == [[9, 0, 0, 0]]
    assert mine_cam(attention, (4, 9)).tolist() == [[9, 9, 0, 0]]


def test_cam_rule_equals_two_thresholds():
    # x = (1 - x)^4 at 0.27551, x = (1 - x)^32 at 0.07699.
    attention = np.array([[[0.0, 0.0769, 0.0771, 0.2754, 0.2756, 1.0]]])
    assert mine_cam(attention, (6,)).tolist() == [[0, 0, 255, 255, 6, 6]]


@pytest.mark.parametrize(("seed", "ids"), IMAGES)
def test_cam_rule_with_a_refinement_that_changes_nothing_is_the_rule(seed, ids):
    _, attention = image(seed, ids)
    assert (mine_cam(attention, ids, refine=lambda p: p) == mine_cam(attention, ids)).all()


def test_cam_rule_takes_what_the_refinement_makes_of_either_background():
    attention, seen = np.array([[[0.5, 0.2, 0.0]]]), []

    def refine(probabilities):
        seen.append(probabilities)
        return probabilities[:, :, ::-1]  # the photo mirrored

    assert mine_cam(attention, (6,), low=1, high=8, refine=refine).tolist() == [[0, 255, 255]]
    assert [p.shape for p in seen] == [(2, 1, 3)] * 2 and all(np.allclose(p.sum(0), 1) for p in seen)
    generous, sparing = seen
    assert np.allclose(generous[0, 0], [0.5, 0.8, 1.0], atol=1e-5)
    assert np.allclose(sparing[0, 0, 1], 0.8**8 / (0.8**8 + 0.2))


def test_without_a_present_class():
    saliency, none = np.array([[0.0, 0.04, 0.05, 1.0]]), np.zeros((0, 1, 4))
    assert mine_combined(saliency, none, ()).tolist() == [[0, 0, 255, 255]]
    assert mine_harmonic(saliency, none, ()).tolist() == [[0, 0, 0, 0]]
    assert mine_cam(none, ()).tolist() == [[0, 0, 0, 0]]


def test_label_shares():
    shares = label_shares(np.array([[0, 0, 3, 255], [0, 7, 255, 255]], np.uint8))
    assert shares == {"labelled": 5 / 8, "background": 3 / 8, "foreground": 2 / 8}
    assert math.isclose(shares["labelled"], shares["background"] + shares["foreground"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"saliency": np.zeros((3, 2))}, r"attention: expected \(K, 3, 2\), got \(1, 2, 3\)"),
        ({"saliency": np.zeros((2, 3), np.uint8)}, "saliency: expected a float array"),
        ({"attention": np.full((1, 2, 3), 1.5)}, r"attention: expected scores in \[0, 1\]"),
        ({"attention": np.full((1, 2, 3), np.nan)}, r"attention: expected scores in \[0, 1\]"),
        ({"class_ids": (1, 2)}, "class_ids: expected 1"),
        ({"class_ids": (0,)}, "class_ids: expected ids from 1 to 254"),
        ({"class_ids": (255,)}, "class_ids: expected ids from 1 to 254"),
        ({"how": "median"}, "how: expected max, arithmetic, geometric or harmonic, got 'median'"),
        ({"threshold": 50}, r"threshold: expected a number in \[0, 1\], got 50"),
    ],
)
def test_bad_arguments_are_named(change, message):
    given = {"saliency": np.zeros((2, 3)), "attention": np.zeros((1, 2, 3)), "class_ids": (1,), "how": "max", **change}
    for mine in (mine_combined, mine_harmonic):
        with pytest.raises(ValueError, match=message):
            mine(**given)


def test_cam_rule_checks_its_exponents():
    with pytest.raises(ValueError, match="low <= high, got 32 and 4"):
        mine_cam(np.zeros((1, 2, 3)), (1,), low=32, high=4)
