import numpy as np

from wsss_core.scenes.colour import lit, mix, paint

RED, BLUE = np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0])


def test_mix_runs_from_first_to_second_and_clips_the_weight():
    mixed = mix(RED, BLUE, np.array([[-3.0, 0.25, 2.0]]))
    assert mixed.dtype == np.float32
    np.testing.assert_allclose(mixed, [[[1, 0, 0], [0.75, 0, 0.25], [0, 0, 1]]])


def test_mix_takes_a_colour_per_point():
    first = np.array([[RED, BLUE]])
    np.testing.assert_allclose(mix(first, BLUE, np.array([[0.5, 0.5]])), [[[0.5, 0, 0.5], [0, 0, 1]]])


def test_lit_scales_each_point_without_clipping():
    np.testing.assert_allclose(lit(RED, np.array([[0.5, 2.0]])), [[[0.5, 0, 0], [2, 0, 0]]])


def test_paint_writes_into_a_window_where_the_mask_is_set():
    canvas = np.zeros((3, 4, 3), np.float32)
    paint(canvas[1:3, 1:3], np.ones((2, 2, 3), np.float32), np.array([[True, False], [False, True]]))
    assert np.argwhere(canvas.all(axis=2)).tolist() == [[1, 1], [2, 2]]
    assert canvas.sum() == 6
