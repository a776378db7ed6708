import numpy as np
import pytest

from wsss_core.scenes.parts import BLACK, CLASSES, WHITE
from wsss_core.scenes.shapes import ellipse
from wsss_core.scenes.sprite import Layer, render, silhouette

LIGHT = np.array([-0.6, -0.6, 0.53])  # from above on the left


def ball_and_dot(x, y):
    ball = ellipse(x, y, (0, 0), (1, 1)) < 0
    dot = ellipse(x, y, (0.9, 0), (0.4, 0.4)) < 0
    return [Layer(ball, WHITE * 0.6), Layer(dot, BLACK, is_part=True)]


def sprite(angle=0.0, flip=False, area=4000.0, limit=(500, 500)):
    return render(ball_and_dot, np.random.default_rng(0), LIGHT, area=area, limit=limit, angle=angle, flip=flip)


def centre_x(mask):
    return np.flatnonzero(mask.any(axis=0)).mean() / mask.shape[1]


def test_covers_the_area_asked_for():
    assert sprite().mask.sum() == pytest.approx(4000, rel=0.05)


def test_shrinks_to_the_limit():
    mask = sprite(area=1e6, limit=(90, 400)).mask
    assert mask.shape[0] <= 90 < mask.shape[0] * 1.2


def test_is_cut_to_its_outline():
    mask = sprite().mask
    assert all(side.any() for side in (mask[0], mask[-1], mask[:, 0], mask[:, -1]))


def test_part_is_what_is_seen_of_the_telling_layer():
    whole = sprite()
    assert whole.part[whole.mask].mean() == pytest.approx(0.1497, abs=0.02)  # circle of 0.4 against the union's 3.36
    assert not whole.part[~whole.mask].any()
    assert whole.rgb[whole.part].mean() < 0.2 < whole.rgb[whole.mask & ~whole.part].mean()


def test_flip_mirrors_and_angle_turns():
    assert centre_x(sprite().part) > 0.7
    assert centre_x(sprite(flip=True).part) < 0.3
    turned = sprite(angle=np.pi / 2).part
    assert abs(centre_x(turned) - 0.5) < 0.05
    assert abs(np.flatnonzero(turned.any(axis=1)).mean() / turned.shape[0] - 0.5) > 0.2


def test_side_towards_the_light_is_brighter():
    whole = sprite(flip=True)  # the dot is on the left then, so compare above with below
    bright = np.where(whole.mask & ~whole.part, whole.rgb.mean(axis=2), np.nan)
    third = bright.shape[0] // 3
    assert np.nanmean(bright[:third]) > 1.2 * np.nanmean(bright[-third:])


def test_silhouette_is_the_union():
    x, y = np.array([[-0.5, 1.2, 2.0]], np.float32), np.zeros((1, 3), np.float32)
    assert silhouette(ball_and_dot(x, y)).tolist() == [[True, True, False]]


def test_eight_classes_in_alphabetical_order():
    assert len(set(CLASSES)) == 8
    assert sorted(CLASSES) == CLASSES
