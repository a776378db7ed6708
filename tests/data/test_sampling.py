"""One geometric transform for the photo and its maps."""

import numpy as np
import pytest

from wsss_core.data.sampling import Augment, cut

MEAN = np.array([10, 20, 30], np.uint8)


def blocks() -> tuple[np.ndarray, np.ndarray]:
    """A photo of 40 × 60 whose red value is 40 × the label, in blocks of 20 × 20."""
    labels = np.kron(np.array([[0, 1, 2], [3, 4, 5]], np.uint8), np.ones((20, 20), np.uint8))
    return np.stack([labels * 40] * 3, axis=-1), labels


def interior(labels: np.ndarray) -> np.ndarray:
    """Pixels whose eight neighbours have their label."""
    inside = np.zeros(labels.shape, bool)
    neighbours = [
        labels[1 + y : labels.shape[0] - 1 + y, 1 + x : labels.shape[1] - 1 + x] for y in (-1, 0, 1) for x in (-1, 0, 1)
    ]
    inside[1:-1, 1:-1] = np.all([n == labels[1:-1, 1:-1] for n in neighbours], axis=0)
    return inside & (labels != 255)


def test_nothing_changes_at_scale_one_with_a_square_as_large_as_the_photo():
    rng = np.random.default_rng(0)
    photo, labels = rng.integers(0, 256, (33, 33, 3), np.uint8), rng.integers(0, 5, (33, 33), np.uint8)
    soft = rng.integers(0, 256, (2, 33, 33), np.uint8)
    image, maps, valid = cut(photo, {"y": labels, "q": soft}, augment=Augment(33, 33), mean_colour=MEAN, rng=rng)
    assert image.dtype == np.float32
    assert np.array_equal(image, photo.transpose(2, 0, 1))
    assert np.array_equal(maps["y"], labels)
    assert np.array_equal(maps["q"], soft)
    assert valid.all()


@pytest.mark.parametrize("seed", range(12))
def test_labels_posteriors_and_colours_agree_after_every_cut(seed):
    photo, labels = blocks()
    soft = np.stack([(labels == label) * np.uint8(255) for label in range(6)])
    augment = Augment(60, 49, scale=(0.4, 2.0), mirror=True)
    rng = np.random.default_rng(seed)
    image, maps, valid = cut(photo, {"y": labels, "q": soft}, augment=augment, mean_colour=MEAN, rng=rng)
    inside = interior(maps["y"])
    assert inside.sum() > 50
    assert np.abs(image[0] - 40.0 * maps["y"])[inside].max() < 4
    assert np.array_equal(maps["q"].argmax(0)[inside], maps["y"][inside])
    assert np.array_equal(maps["y"] != 255, valid)


def test_mirror_turns_about_half_of_the_squares_with_their_labels():
    photo = np.zeros((9, 9, 3), np.uint8)
    photo[:, 5:] = 200
    labels = (photo[..., 0] > 0).astype(np.uint8)
    turned = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        image, maps, _ = cut(photo, {"y": labels}, augment=Augment(9, 9, mirror=True), mean_colour=MEAN, rng=rng)
        assert np.array_equal(image[0] > 0, maps["y"] == 1)
        turned += bool(maps["y"][0, 0])
    assert 10 <= turned <= 30


def test_a_small_photo_is_padded_with_the_mean_colour_ignore_and_zero():
    photo, labels = np.full((10, 20, 3), 99, np.uint8), np.ones((10, 20), np.uint8)
    soft = np.full((2, 10, 20), 128, np.uint8)
    corners = set()
    for seed in range(20):
        rng = np.random.default_rng(seed)
        image, maps, valid = cut(photo, {"y": labels, "q": soft}, augment=Augment(20, 33), mean_colour=MEAN, rng=rng)
        ys, xs = np.nonzero(valid)
        corners.add((int(ys.min()), int(xs.min())))
        assert valid.sum() == 200
        assert (np.ptp(ys) + 1, np.ptp(xs) + 1) == (10, 20)
        assert (image[:, valid] == 99).all()
        assert (image[:, ~valid] == MEAN[:, None]).all()
        assert (maps["y"][valid] == 1).all() and (maps["y"][~valid] == 255).all()
        assert (maps["q"][:, valid] == 128).all() and (maps["q"][:, ~valid] == 0).all()
    assert len(corners) > 10
    assert all(0 <= y <= 23 and 0 <= x <= 13 for y, x in corners)


@pytest.mark.parametrize(("scale", "pixels"), [(1.0, 10 * 30), (2.0, 20 * 33), (4.0, 33 * 33), (0.01, 1)])
def test_the_long_side_is_scaled_to_size_times_the_factor(scale, pixels):
    photo = np.zeros((20, 60, 3), np.uint8)
    augment = Augment(30, 33, scale=(scale, scale))
    _, _, valid = cut(photo, {}, augment=augment, mean_colour=MEAN, rng=np.random.default_rng(0))
    assert valid.sum() == pixels


def test_shrinking_averages_the_photo_and_picks_labels():
    photo = np.zeros((2, 8, 3), np.uint8)
    photo[:, ::2] = 100
    labels = np.zeros((2, 8), np.uint8)
    labels[:, 4:] = 7
    image, maps, valid = cut(
        photo, {"y": labels}, augment=Augment(4, 4), mean_colour=MEAN, rng=np.random.default_rng(0)
    )
    assert (image[:, valid] == 50).all()
    assert maps["y"][valid].tolist() == [0, 0, 7, 7]


def test_a_label_is_picked_at_the_centre_of_the_pixels_it_stands_for():
    labels = np.arange(9, dtype=np.uint8)[None].repeat(9, 0)
    photo = labels[..., None].repeat(3, 2)
    _, maps, _ = cut(photo, {"y": labels}, augment=Augment(3, 3), mean_colour=MEAN, rng=np.random.default_rng(0))
    assert maps["y"].tolist() == [[1, 4, 7]] * 3


def test_colour_jitter_changes_the_photo_but_not_its_padding():
    photo = np.full((10, 20, 3), 100, np.uint8)
    photo[:, :10] = 60
    augment = Augment(20, 21, brightness=0.2, contrast=0.5)
    seen = []
    for seed in range(30):
        image, _, valid = cut(photo, {}, augment=augment, mean_colour=MEAN, rng=np.random.default_rng(seed))
        assert (image[:, ~valid] == MEAN[:, None]).all()
        values = np.unique(image[:, valid].round(3))
        assert len(values) == 2
        seen.append((values.mean() / 80, np.ptp(values) / 40))
    brightness, both = np.array(seen).T
    assert 0.8 <= brightness.min() < 0.9 and 1.1 < brightness.max() <= 1.2
    contrast = both / brightness
    assert 0.5 <= contrast.min() < 0.8 and 1.2 < contrast.max() <= 1.5


def test_a_label_map_keeps_its_type_and_is_padded_with_its_highest_number():
    numbers = np.array([[300, 301]], np.uint16).repeat(4, 0).repeat(2, 1)
    photo = np.zeros((4, 4, 3), np.uint8)
    _, maps, valid = cut(photo, {"n": numbers}, augment=Augment(4, 5), mean_colour=MEAN, rng=np.random.default_rng(0))
    assert maps["n"].dtype == np.uint16
    assert set(maps["n"][valid]) == {300, 301} and set(maps["n"][~valid]) == {65535}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"size": 0, "crop": 33}, "at least 1"),
        ({"size": 33, "crop": 0}, "at least 1"),
        ({"size": 33, "crop": 33, "scale": (1.5, 0.5)}, "low <= high"),
        ({"size": 33, "crop": 33, "scale": (0.0, 0.5)}, "0 < low"),
        ({"size": 33, "crop": 33, "contrast": 1.0}, "brightness and contrast"),
    ],
)
def test_an_impossible_augment_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        Augment(**given)


@pytest.mark.parametrize(
    ("photo", "map_", "message"),
    [
        (np.zeros((4, 4, 3), np.float32), None, "uint8 photo"),
        (np.zeros((4, 4), np.uint8), None, "uint8 photo"),
        (np.zeros((4, 4, 3), np.uint8), np.zeros((4, 5), np.uint8), "y: expected uint8 of the photo's size"),
        (np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), np.int64), "y: expected uint8"),
    ],
)
def test_wrong_arrays_are_refused(photo, map_, message):
    maps = {} if map_ is None else {"y": map_}
    with pytest.raises(ValueError, match=message):
        cut(photo, maps, augment=Augment(4, 4), mean_colour=MEAN, rng=np.random.default_rng(0))
