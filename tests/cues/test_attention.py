import numpy as np
import pytest

from wsss_core.cues.attention import normalise, normalise_cam

VOLUME = np.array([[[-2.0, 0.0], [2.0, 6.0]], [[5.0, 5.0], [5.0, 5.0]]], np.float32)


def test_each_class_is_scaled_on_its_own_and_a_constant_map_is_zero():
    assert normalise(VOLUME).tolist() == [[[0.0, 0.25], [0.5, 1.0]], [[0.0, 0.0], [0.0, 0.0]]]
    assert normalise(VOLUME).dtype == np.float32


def test_cam_keeps_its_floor_and_an_inactive_class_is_zero():
    total = np.array([[[1.0, 2.0], [3.0, 4.0]], [[0.0, 0.0], [0.0, 0.0]]])
    assert normalise_cam(total).tolist() == [[[0.25, 0.5], [0.75, 1.0]], [[0.0, 0.0], [0.0, 0.0]]]


def test_min_max_ignores_shift_and_scale():
    volume = np.random.default_rng(0).random((3, 4, 5))
    assert np.allclose(normalise(8 * volume - 3), normalise(volume))
    assert np.allclose(normalise_cam(8 * volume), normalise_cam(volume))


@pytest.mark.parametrize("scale", [normalise, normalise_cam])
def test_no_class_gives_no_map_and_bad_volumes_are_refused(scale):
    assert scale(np.zeros((0, 4, 5), np.float32)).shape == (0, 4, 5)
    with pytest.raises(ValueError, match=r"\(K, h, w\)"):
        scale(np.zeros((4, 5)))
    with pytest.raises(ValueError, match="finite"):
        scale(np.full((1, 2, 2), np.nan))


def test_unrectified_cams_are_refused():
    with pytest.raises(ValueError, match="rectified"):
        normalise_cam(VOLUME)
