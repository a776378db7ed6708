from functools import partial

import numpy as np
import pytest
import torch

from wsss_core.models.inference import WINDOW, infer_maps, network_size

CPU = torch.device("cpu")


def coordinates(height, width):
    """A photo whose red is x, green is y and blue is 7."""
    y, x = np.mgrid[:height, :width].astype(np.uint8)
    return np.dstack([x, y, np.full_like(x, 7)])


def sampled(images, stride):
    """A network that says what is at its nodes."""
    assert all(side % stride == 1 for side in images.shape[2:])
    return images[:, :, ::stride, ::stride]


def run(photos, forward=None, stride=8, size=97, **options):
    return list(
        infer_maps(forward or partial(sampled, stride=stride), photos, size=size, stride=stride, device=CPU, **options)
    )


@pytest.mark.parametrize("stride", [4, 8, 16])
@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("scales", [(1.0,), (0.5, 1.0, 1.5)])
def test_maps_lie_on_the_photo(stride, mirror, scales):
    """The coordinate that a map holds at a pixel is that pixel's: no shift, at any stride, scale, size or mirroring."""
    photos = [coordinates(150, 200), coordinates(201, 143), coordinates(64, 64)]
    found = run(photos, stride=stride, size=160, scales=scales, mirror=mirror, join="mean")
    assert [index for index, _ in found] == [0, 1, 2]
    for photo, (_, maps) in zip(photos, found, strict=True):
        expected = torch.from_numpy(photo).permute(2, 0, 1).float()
        error = (maps - expected).abs()
        assert maps.dtype == torch.float32
        assert maps.shape == expected.shape
        assert error.max() < 1  # of which half is the resized photo's rounding to whole numbers
        assert (maps - expected).mean((1, 2)).abs().max() < 0.2


def test_the_way_back_from_a_small_photo_is_the_way_there():
    """A photo made eight times smaller is enlarged area on area; corner on corner would be 3 pixels off."""
    photo = coordinates(250, 200)
    ((_, maps),) = run([photo], stride=4, size=33)
    error = (maps - torch.from_numpy(photo).permute(2, 0, 1)).abs()
    assert error[:, 6:-6, 6:-6].max() < 1  # outside the outer pixels' centres a resize has nothing to go by


def test_sizes_in_the_network_are_strides_plus_one():
    assert network_size(375, 500, size=193, stride=16) == (145, 193)
    assert network_size(375, 500, size=192, stride=16) == (145, 193)
    assert network_size(500, 375, size=96.5, stride=16) == (97, 65)
    assert network_size(10, 500, size=193, stride=16) == (17, 193)


def test_equal_sizes_share_a_batch_and_the_order_stays():
    shapes = []

    def forward(images):
        shapes.append(tuple(images.shape))
        return images.mean((2, 3), keepdim=True).expand(-1, -1, 3, 3)

    tall, wide = np.full((80, 40, 3), 10, np.uint8), np.full((40, 80, 3), 20, np.uint8)
    photos = [tall + 1, wide + 2, tall + 3, wide + 4, tall + 5]
    found = run(photos, forward, batch=2)
    assert [round(maps[0, 0, 0].item()) for _, maps in found] == [11, 22, 13, 24, 15]
    assert sorted(shapes) == [(1, 3, 97, 49), (2, 3, 49, 97), (2, 3, 97, 49)]


def test_photos_are_read_window_by_window():
    class Lazy(list):
        read = 0

        def __getitem__(self, index):
            self.read += 1
            return np.full((9, 9, 3), index, np.uint8)

    photos = Lazy([None] * (WINDOW + 3))
    maps = infer_maps(partial(sampled, stride=8), photos, size=9, stride=8, device=CPU)
    assert photos.read == 0
    assert next(maps)[1].unique().tolist() == [0]
    assert photos.read == WINDOW
    assert [int(each[0, 0, 0]) for _, each in maps] == list(range(1, WINDOW + 3))


@pytest.mark.parametrize(("join", "expected"), [("max", 65.0), ("sum", 33.0 + 65.0), ("mean", 49.0)])
def test_scales_are_joined(join, expected):
    def width(images):
        return torch.full((len(images), 1, 2, 2), float(images.shape[3]))

    ((_, maps),) = run([coordinates(50, 50)], width, size=65, scales=(1.0, 0.5), join=join)
    torch.testing.assert_close(maps, torch.full((1, 50, 50), expected))


def test_mirror_images_are_flipped_back():
    def left_half(images):
        maps = torch.zeros(len(images), 1, 2, 9)
        maps[..., :4] = 1
        return maps

    ((_, plain),) = run([coordinates(65, 65)], left_half)
    ((_, joined),) = run([coordinates(65, 65)], left_half, mirror=True, join="sum")
    torch.testing.assert_close(joined, plain + plain.flip(2))
    assert plain[0, 30, 2] == 1
    assert plain[0, 30, -3] == 0


def test_activation_comes_at_true_size_and_before_joining():
    def signed(images):
        sign = 1.0 if images.shape[3] == 65 else -1.0
        return torch.full((len(images), 1, 2, 2), sign)

    options = {"size": 65, "scales": (1.0, 0.5), "join": "sum"}
    ((_, maps),) = run([coordinates(50, 50)], signed, **options, activation=torch.relu)
    torch.testing.assert_close(maps, torch.ones(1, 50, 50))
    seen = []
    run([coordinates(50, 40)], signed, **options, activation=lambda maps: seen.append(maps.shape) or maps)
    assert seen == [(1, 1, 50, 40)] * 2


def test_the_callers_gradient_mode_is_left_alone():
    maps = infer_maps(partial(sampled, stride=8), [coordinates(20, 20)] * 2, size=17, stride=8, device=CPU)
    _, first = next(maps)
    assert torch.is_grad_enabled()
    assert not torch.is_inference_mode_enabled()
    assert not first.requires_grad


def test_wrong_input_is_refused():
    with pytest.raises(ValueError, match="join must be"):
        infer_maps(torch.relu, [], size=65, stride=8, device=CPU, join="median")
    with pytest.raises(ValueError, match="must be positive"):
        infer_maps(torch.relu, [], size=65, stride=8, device=CPU, scales=())
    with pytest.raises(ValueError, match=r"photo 1: expected RGB uint8 \(H, W, 3\), got float64 \(4, 4\)"):
        run([coordinates(20, 20), np.zeros((4, 4))])
