"""Outlines: signs and distances at points worked out by hand."""

import numpy as np
import pytest

from wsss_core.scenes.shapes import capsule, ellipse, polar, polygon, superellipse, turned


def at(*points):
    x, y = np.array(points, np.float32).T
    return x, y


def test_circle_gives_the_signed_distance():
    field = ellipse(*at((1, 2), (3, 2), (5, 2)), centre=(1, 2), radii=(2, 2))
    np.testing.assert_allclose(field, [-2, 0, 2], atol=1e-6)


def test_ellipse_turned_by_a_quarter_swaps_its_axes():
    field = ellipse(*at((0, 2.9), (2.9, 0)), centre=(0, 0), radii=(3, 1), angle=np.pi / 2)
    assert field[0] < 0 < field[1]


def test_capsule_tapers_from_start_to_end():
    field = capsule(*at((0, 1), (4, 0.5), (2, 0.75), (6, 0), (-2, 0)), (0, 0), (4, 0), 1.0, 0.5)
    np.testing.assert_allclose(field, [0, 0, 0, 1.5, 1.0], atol=1e-6)


def test_square_has_corners_at_its_radius_and_flat_sides():
    corner, side = (1.0, 0.0), (0.5, 0.5)  # the corners of polygon(4) lie on the axes
    np.testing.assert_allclose(polygon(*at(corner, side), 4, 1.0), [0, 0], atol=1e-6)


def test_dent_draws_the_sides_in_and_leaves_the_corners():
    corner, side = (1.0, 0.0), (0.5, 0.5)
    field = polygon(*at(corner, side), 4, 1.0, dent=0.5)
    np.testing.assert_allclose(field, [0, np.sqrt(0.5) / 2], atol=1e-6)


@pytest.mark.parametrize(("power", "inside"), [(2.0, False), (8.0, True)])
def test_superellipse_fills_its_corners_with_the_power(power, inside):
    assert (superellipse(*at((0.85, 0.85)), (1.0, 1.0), power) < 0).item() is inside


def test_turned_frame_and_polar_agree():
    x, y = at((3, 1))
    u, v = turned(x, y, (2, 1), np.pi / 2)
    np.testing.assert_allclose([u[0], v[0]], [0, -1], atol=1e-6)
    r, theta = polar(x, y, (3, -1))
    np.testing.assert_allclose([r[0], theta[0]], [2, np.pi / 2], atol=1e-6)
