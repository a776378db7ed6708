"""Properties of the pictures that make the set worth learning from."""

import numpy as np
import pytest

from wsss_core.scenes.scene import OVERSAMPLING, easy_scene, thing_scene, voc_scene


@pytest.fixture(scope="module")
def scenes():
    return [voc_scene(np.random.default_rng((1, i)), 96, i % 8 + 1) for i in range(48)]


@pytest.fixture(scope="module")
def easy():
    return [easy_scene(np.random.default_rng((2, i)), 96, i % 8 + 1) for i in range(24)]


@pytest.fixture(scope="module")
def things():
    return [thing_scene(np.random.default_rng((3, i)), 96) for i in range(24)]


def shares(scene):
    counts = np.bincount(scene.owner.ravel(), minlength=len(scene.class_ids) + 1)
    return counts[1:] / scene.owner.size


def test_sizes_vary_around_the_long_side(scenes):
    shapes = {scene.photo.shape[:2] for scene in scenes}
    assert len(shapes) >= 4
    assert all(max(shape) == 96 and min(shape) >= 72 for shape in shapes)
    for scene in scenes:
        assert scene.owner.shape == tuple(OVERSAMPLING * side for side in scene.photo.shape[:2])


def test_one_to_three_objects_of_which_the_first_is_the_class_asked_for(scenes):
    assert {len(scene.class_ids) for scene in scenes} == {1, 2, 3}
    assert all(scene.class_ids[0] == i % 8 + 1 for i, scene in enumerate(scenes))


def test_every_object_is_seen_well(scenes, easy, things):
    for scene in scenes + easy + things:
        assert np.unique(scene.owner).tolist() == list(range(len(scene.class_ids) + 1))
        assert shares(scene).min() > 0.05
        assert shares(scene).max() < 0.42


def test_some_objects_hide_others(scenes):
    touching = 0
    for scene in scenes:
        left, right = scene.owner[:, :-1].astype(int), scene.owner[:, 1:].astype(int)
        touching += ((left != right) & (left > 0) & (right > 0)).any()
    assert touching > 10


def test_telling_part_is_a_small_visible_share_of_each_object(scenes):
    for scene in scenes:
        for number in range(1, len(scene.class_ids) + 1):
            share = scene.part[scene.owner == number].mean()
            assert 0.08 < share < 0.45, scene.class_ids


def test_bodies_tell_no_class_and_parts_do():
    """Nearest class mean of the average colour: chance for bodies, far above it for parts."""
    colours, class_ids = {True: [], False: []}, []
    for i in range(240):
        scene = easy_scene(np.random.default_rng((4, i)), 64, i % 8 + 1)
        owner, part = (array[::OVERSAMPLING, ::OVERSAMPLING] for array in (scene.owner > 0, scene.part))
        for is_part in (True, False):
            colours[is_part].append(scene.photo[owner & (part == is_part)].mean(axis=0))
        class_ids.append(i % 8)
    right = {}
    for is_part, features in colours.items():
        x, y = np.array(features), np.array(class_ids)
        means = np.stack([x[:160][y[:160] == k].mean(axis=0) for k in range(8)])
        right[is_part] = (np.linalg.norm(x[160:, None] - means, axis=2).argmin(axis=1) == y[160:]).mean()
    assert right[False] < 0.25
    assert right[True] > 0.7


def test_objects_stand_out_from_the_background(scenes, things):
    """An object's colour is farther from the background's mean than the background is from its own."""
    better = []
    for scene in scenes + things:
        owner = scene.owner[::OVERSAMPLING, ::OVERSAMPLING]
        photo = scene.photo.astype(float)
        mean = photo[owner == 0].mean(axis=0)
        distance = np.linalg.norm(photo - mean, axis=2)
        better.append(distance[owner > 0].mean() / distance[owner == 0].mean())
    assert np.mean(np.array(better) > 1.0) > 0.9
    assert np.median(better) > 1.5


def test_easy_scene_has_one_object_in_the_middle_of_a_plain_background(easy, scenes):
    for scene in easy:
        assert len(scene.class_ids) == 1
        rows, columns = np.nonzero(scene.owner)
        middle = np.array([np.ptp(rows) / 2 + rows.min(), np.ptp(columns) / 2 + columns.min()]) / scene.owner.shape
        assert np.abs(middle - 0.5).max() < 0.11

    def roughness(scene):
        grey = scene.photo.mean(axis=2)
        clear = scene.owner[::OVERSAMPLING, ::OVERSAMPLING] == 0
        return np.abs(np.diff(grey, axis=1))[clear[:, 1:] & clear[:, :-1]].mean()

    assert np.mean([roughness(s) for s in easy]) < 0.7 * np.mean([roughness(s) for s in scenes])


def test_things_have_no_class_and_no_telling_part(things):
    for scene in things:
        assert set(scene.class_ids) == {0}
        assert not scene.part.any()
