"""Erase what was found, look again: with a detector whose answers can be written down."""

import numpy as np
import pytest

from wsss_core.cues.saliency import erase, hierarchical_saliency

MEAN = np.array([7, 8, 9], np.uint8)


def red_channel(photos):
    """A detector that finds red: its map is the red channel / 255."""
    return [photo[..., 0].astype(np.float32) / 255 for photo in photos]


def scripted(*answers):
    """A detector that answers call k with `answers[k]` for every photo and keeps what it was shown."""
    shown = []

    def detect(photos):
        shown.append([photo.copy() for photo in photos])
        return [np.array(answers[len(shown) - 1], np.float32) for _ in photos]

    return detect, shown


def photos_of_noise(*sizes):
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (*size, 3), dtype=np.uint8) for size in sizes]


def test_erase_changes_only_the_mask_and_leaves_the_mean_colour():
    (photo,) = photos_of_noise((5, 6))
    before, mask = photo.copy(), np.random.default_rng(1).random((5, 6)) > 0.5
    erased = erase(photo, mask, MEAN)
    assert (erased[mask] == MEAN).all() and (erased[~mask] == photo[~mask]).all()
    assert erased.dtype == np.uint8 and (photo == before).all()


def test_two_erasings_by_hand():
    # S1 erases pixel 0; the second look erases pixel 1 and would erase pixel 0 again; 0.8 itself is not erased.
    detect, shown = scripted([[0.9, 0.7, 0.1, 0.2]], [[0.3, 0.81, 0.8, 0.1]], [[0.0, 0.0, 0.95, 0.0]])
    photo = np.arange(12, dtype=np.uint8).reshape(1, 4, 3) + 100
    (found,) = hierarchical_saliency([photo], detect, thresholds=(0.7, 0.8), mean_colour=MEAN)
    expected = [[[0.9, 0.7, 0.1, 0.2]], [[0.9, 0.81, 0.8, 0.2]], [[0.9, 0.81, 0.95, 0.2]]]
    assert (found.steps == np.array(expected, np.float32)).all() and found.steps.dtype == np.float32
    assert found.erased.tolist() == [[[True, False, False, False]], [[True, True, False, False]]]
    assert (shown[0][0] == photo).all()
    assert (shown[1][0][0, 0] == MEAN).all() and (shown[1][0][0, 1:] == photo[0, 1:]).all()
    assert (shown[2][0][0, :2] == MEAN).all() and (shown[2][0][0, 2:] == photo[0, 2:]).all()


def test_second_erasing_looks_at_the_new_map_not_at_the_maximum():
    # Pixel 1 has 0.75 in S1 (kept by 0.78) and 0.1 in the second look: with threshold 0.7 then, S2 > 0.7 but it stays.
    detect, _ = scripted([[0.9, 0.75]], [[0.0, 0.1]], [[0.0, 0.0]])
    photo = np.zeros((1, 2, 3), np.uint8)
    (found,) = hierarchical_saliency([photo], detect, thresholds=(0.78, 0.7), mean_colour=MEAN)
    assert found.erased.tolist() == [[[True, False]], [[True, False]]]


@pytest.mark.parametrize("thresholds", [(), (0.5,), (0.7, 0.8), (0.9, 0.6, 0.3)])
def test_steps_grow_and_erased_pixels_stay_erased(thresholds):
    rng, photos = np.random.default_rng(2), photos_of_noise((5, 6), (4, 9))

    def detect(batch):
        return [rng.random(photo.shape[:2], dtype=np.float32) for photo in batch]

    results = hierarchical_saliency(photos, detect, thresholds=thresholds, mean_colour=MEAN)
    for photo, found in zip(photos, results, strict=True):
        assert found.steps.shape == (len(thresholds) + 1, *photo.shape[:2])
        assert found.erased.shape == (len(thresholds), *photo.shape[:2]) and found.erased.dtype == np.bool_
        assert (np.diff(found.steps, axis=0) >= 0).all()
        assert (found.erased[1:] >= found.erased[:-1]).all()


def test_photos_of_a_shard_go_through_the_detector_together_and_do_not_mix():
    photos, sizes = photos_of_noise((5, 6), (4, 9), (3, 3)), []

    def detect(batch):
        sizes.append(len(batch))
        return red_channel(batch)

    together = hierarchical_saliency(photos, detect, mean_colour=MEAN)
    assert sizes == [3, 3, 3]
    for photo, found in zip(photos, together, strict=True):
        (alone,) = hierarchical_saliency([photo], red_channel, mean_colour=MEAN)
        assert (alone.steps == found.steps).all() and (alone.erased == found.erased).all()
    assert all((a == b).all() for a, b in zip(photos, photos_of_noise((5, 6), (4, 9), (3, 3)), strict=True))


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ([], "expected 1 maps, got 0"),
        ([np.zeros((2, 3), np.float32)], r"expected a map \(3, 2\), got \(2, 3\)"),
        ([np.full((3, 2), 255.0)], r"scores in \[0, 1\], got 255"),
        ([np.full((3, 2), np.nan)], r"scores in \[0, 1\], got nan"),
    ],
)
def test_a_detector_that_answers_wrongly_is_named(answer, message):
    with pytest.raises(ValueError, match=f"detector: expected.*{message}|detector: {message}"):
        hierarchical_saliency([np.zeros((3, 2, 3), np.uint8)], lambda _: answer, mean_colour=MEAN)


def test_thresholds_and_erase_check_their_input():
    photo = np.zeros((3, 2, 3), np.uint8)
    with pytest.raises(ValueError, match="thresholds"):
        hierarchical_saliency([photo], red_channel, thresholds=(70,), mean_colour=MEAN)
    for bad in [
        (photo.astype(float), np.zeros((3, 2), bool), MEAN),
        (photo, np.zeros((3, 2), np.uint8), MEAN),
        (photo, np.zeros((2, 3), bool), MEAN),
        (photo, np.zeros((3, 2), bool), MEAN.astype(float)),
    ]:
        with pytest.raises(ValueError, match="expected"):
            erase(*bad)
