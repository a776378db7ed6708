import cv2
import numpy as np
import pytest

from wsss_core.cues.superpixels import superpixels


def test_four_flat_quarters_are_four_regions():
    photo = np.zeros((40, 60, 3), np.uint8)
    photo[:20, 30:], photo[20:, :30], photo[20:, 30:] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    regions = superpixels(photo, scale=100, sigma=0, min_size=20)
    assert regions.dtype == np.uint16 and regions.shape == (40, 60)
    quarters = [regions[:20, :30], regions[:20, 30:], regions[20:, :30], regions[20:, 30:]]
    assert all(len(np.unique(quarter)) == 1 for quarter in quarters)
    assert sorted(int(quarter[0, 0]) for quarter in quarters) == [0, 1, 2, 3]


def test_regions_are_numbered_without_gaps_and_connected_and_large_enough():
    photo = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (50, 70, 3), dtype=np.uint8), (0, 0), 3)
    regions = superpixels(photo, scale=10, sigma=0.8, min_size=20)
    count = int(regions.max()) + 1
    assert count > 10 and (np.unique(regions) == np.arange(count)).all()
    assert np.bincount(regions.ravel()).min() >= 20
    for region in range(count):
        pieces, _ = cv2.connectedComponents((regions == region).astype(np.uint8), connectivity=8)
        assert pieces == 2  # outside and the one region


def test_a_larger_scale_gives_fewer_regions_and_the_same_input_the_same_regions():
    photo = np.random.default_rng(1).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    fine, coarse = (superpixels(photo, scale=s, sigma=0.8, min_size=1) for s in (10, 300))
    assert coarse.max() < fine.max()
    assert (fine == superpixels(photo, scale=10, sigma=0.8, min_size=1)).all()


def test_more_regions_than_uint16_holds_are_refused():
    checkers = np.indices((260, 260)).sum(axis=0) % 2 * 255
    photo = np.repeat(checkers[..., None], 3, axis=2).astype(np.uint8)
    photo[..., 1] = np.random.default_rng(2).integers(0, 256, (260, 260))
    with pytest.raises(ValueError, match="at most 65535 regions, got .*; raise scale or min_size"):
        superpixels(photo, scale=1e-9, sigma=0, min_size=1)


def test_only_photos_are_accepted():
    with pytest.raises(ValueError, match=r"expected uint8 \(H, W, 3\), got float64 \(4, 5, 3\)"):
        superpixels(np.zeros((4, 5, 3)), scale=100, sigma=0.8, min_size=20)
