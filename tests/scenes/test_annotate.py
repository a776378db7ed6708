from xml.etree import ElementTree

import numpy as np
import pytest

from wsss_core.scenes.annotate import annotation_xml, boxes, class_mask, class_names, salient_mask, voc_palette
from wsss_core.scenes.scene import Scene, voc_scene


def small_scene():
    """6 x 8 pixels: a zebra (8) on columns 1.5 to 6, a ladybird (2) in front of its right half."""
    owner = np.zeros((12, 16), np.uint8)
    owner[2:10, 3:12] = 1
    owner[4:12, 8:14] = 2
    return Scene(np.zeros((6, 8, 3), np.uint8), owner, owner > 9, (8, 2))


def test_mask_by_hand():
    i = 255
    expected = [
        [0, i, i, i, i, i, i, 0],
        [0, i, i, i, i, i, i, i],
        [0, i, 8, i, i, i, i, i],
        [0, i, 8, i, i, 2, i, i],
        [0, i, i, i, i, 2, i, i],
        [0, i, i, i, i, 2, i, i],
    ]
    np.testing.assert_array_equal(class_mask(small_scene()), expected)


def test_boxes_count_from_one_and_take_in_every_pixel_touched():
    assert boxes(small_scene()) == [(2, 2, 6, 5), (5, 3, 7, 6)]


def test_salient_mask_takes_pixels_covered_at_least_half():
    expected = np.zeros((6, 8), np.uint8)
    expected[1:5, 1:6] = 255
    expected[2:6, 4:7] = 255
    np.testing.assert_array_equal(salient_mask(small_scene()), expected)


def test_names_come_in_the_order_of_ids_each_once():
    scene = small_scene()
    assert class_names(scene) == ["ladybird", "zebra"]
    assert class_names(Scene(scene.photo, scene.owner, scene.part, (8, 8))) == ["zebra"]


def test_xml_has_size_names_and_boxes():
    root = ElementTree.fromstring(annotation_xml(small_scene(), "train_00007"))
    assert root.findtext("filename") == "train_00007.jpg"
    assert [root.findtext(f"size/{key}") for key in ("width", "height", "depth")] == ["8", "6", "3"]
    assert [thing.findtext("name") for thing in root.iter("object")] == ["zebra", "ladybird"]
    assert [edge.text for edge in root.find("object/bndbox")] == ["2", "2", "6", "5"]


def test_palette_starts_with_vocs_colours():
    palette = voc_palette()
    known = {0: (0, 0, 0), 1: (128, 0, 0), 2: (0, 128, 0), 8: (64, 0, 0), 15: (192, 128, 128), 255: (224, 224, 192)}
    assert {i: tuple(palette[i].tolist()) for i in known} == known


@pytest.mark.parametrize("seed", range(12))
def test_drawn_masks_boxes_and_border_agree(seed):
    scene = voc_scene(np.random.default_rng((5, seed)), 128, seed % 8 + 1)
    mask = class_mask(scene)
    assert set(np.unique(mask)) == {0, *scene.class_ids, 255}
    inside = np.zeros(mask.shape, bool)
    for class_id, box in zip(scene.class_ids, boxes(scene), strict=True):
        window = mask[box.ymin - 1 : box.ymax, box.xmin - 1 : box.xmax]
        assert (window == class_id).any()
        for side in (window[0], window[-1], window[:, 0], window[:, -1]):
            assert np.isin(side, [class_id, 255]).any()
        inside[box.ymin - 1 : box.ymax, box.xmin - 1 : box.xmax] = True
    assert np.isin(mask[~inside], [0, 255]).all()
    assert_border_parts_every_pair_of_classes(mask)
    assert 0.02 < (mask == 255).mean() < 0.2
    assert thick(mask == 255).mean() < 0.01


def assert_border_parts_every_pair_of_classes(mask):
    for first, second in ((mask[1:], mask[:-1]), (mask[:, 1:], mask[:, :-1])):
        differ = first != second
        assert ((first == 255) | (second == 255))[differ].all()


def thick(border):
    """Where a border fills 4 x 4 pixels."""
    windows = np.lib.stride_tricks.sliding_window_view(border, (4, 4))
    return windows.all(axis=(2, 3))
