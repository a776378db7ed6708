import base64

import cv2
import numpy as np

from wsss_core.report.thumbnails import flat_uri, photo_uri, shown_size, shrink


def decoded(uri: str) -> np.ndarray:
    data = np.frombuffer(base64.b64decode(uri.split(",", 1)[1]), np.uint8)
    return cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1]


def test_longer_side_takes_the_size_shown():
    assert shown_size(np.zeros((375, 500, 3)), 160) == (160, 120)
    assert shown_size(np.zeros((500, 2)), 16) == (1, 16)


def test_stored_as_large_as_shown_and_never_enlarged():
    assert shrink(np.zeros((400, 1000, 3), np.uint8), 320, smooth=True).shape == (128, 320, 3)
    assert shrink(np.zeros((40, 100), np.uint8), 320, smooth=False).shape == (40, 100)


def test_class_ids_are_picked_and_photos_averaged():
    stripes = np.tile(np.array([3, 255], np.uint8), (64, 32))
    assert set(np.unique(shrink(stripes, 8, smooth=False))) <= {3, 255}
    assert np.unique(shrink(stripes, 8, smooth=True)).tolist() == [129]


def test_flat_pictures_survive_exactly():
    picture = np.random.default_rng(0).integers(0, 256, (9, 7, 3), np.uint8)
    assert flat_uri(picture).startswith("data:image/webp;base64,")
    np.testing.assert_array_equal(decoded(flat_uri(picture)), picture)


def test_photos_keep_red_red():
    red = np.full((16, 16, 3), (250, 10, 20), np.uint8)
    assert np.abs(decoded(photo_uri(red)).astype(int) - red).max() < 8
