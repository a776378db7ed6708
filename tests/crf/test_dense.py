import os
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from wsss_core.crf import DenseCRF, label_probabilities
from wsss_core.crf.exact import ExactFilter
from wsss_core.crf.features import bilateral_features, spatial_features
from wsss_core.crf.infer_torch import infer_on_device
from wsss_core.crf.mean_field import mean_field, normalised

PHOTOS = Path(__file__).parents[3] / "shared/data/voc_animals/JPEGImages"


def smooth_probabilities(labels: int, height: int, width: int, seed: int = 0) -> np.ndarray:
    coarse = np.random.default_rng(seed).normal(0, 3, (labels, 8, 10)).astype(np.float32)
    scores = np.stack([cv2.resize(plane, (width, height)) for plane in coarse])
    return np.exp(scores) / np.exp(scores).sum(0)


def smooth_image(height: int, width: int, seed: int = 0) -> np.ndarray:
    return cv2.resize(np.random.default_rng(seed).integers(0, 256, (4, 5, 3), dtype=np.uint8), (width, height))


def test_near_the_crf_over_all_pairs() -> None:
    """Lattice against brute force, 24 × 32, 3 labels: marginals differ by 0.04 on average, 95 % of labels agree."""
    for seed in (0, 1):
        image, p = smooth_image(24, 32, seed), smooth_probabilities(3, 24, 32, seed)
        features = spatial_features(24, 32, 3), bilateral_features(image, 80, 13)
        ones = torch.ones(24 * 32, 1)
        kernels = [
            normalised(ExactFilter(torch.from_numpy(f)), ones, w) for f, w in zip(features, (3, 10), strict=True)
        ]
        scores = torch.from_numpy(p).clamp(min=1e-5).log().flatten(1).T
        exact = mean_field(scores, kernels, lambda x: x.softmax(1), 10).T.reshape(p.shape).numpy()
        ours = DenseCRF()(image, p)
        assert np.abs(ours - exact).mean() < 0.04
        assert (ours.argmax(0) == exact.argmax(0)).mean() > 0.95


def test_one_update_by_hand() -> None:
    """Two pixels, one spatial kernel k = e^−½: D = 1 + k for both, so each gets weight · (q_i + k q_j) / (1 + k)."""
    p = np.array([[[0.9, 0.5]], [[0.1, 0.5]]])
    k, weight = np.exp(-0.5), 2.0
    ones = torch.ones(2, 1, dtype=torch.float64)
    kernel = normalised(ExactFilter(torch.tensor([[0.0], [1.0]], dtype=torch.float64)), ones, weight)
    q = mean_field(torch.from_numpy(p).log().flatten(1).T, [kernel], lambda x: x.softmax(1), 1)
    support = weight * (p[:, 0, 1] + k * p[:, 0, 0]) / (1 + k)
    expected = p[:, 0, 1] * np.exp(support)
    np.testing.assert_allclose(q[1], expected / expected.sum())


@pytest.mark.parametrize("labels", [3, 21])
def test_same_marginals_as_pydensecrf_on_photos(labels: int) -> None:
    densecrf = pytest.importorskip("pydensecrf.densecrf", reason="pydensecrf2 is not on the path")
    from pydensecrf.utils import unary_from_softmax

    photos = sorted(PHOTOS.glob("*.jpg"))[::200]
    if not photos:
        pytest.skip(f"no photos in {PHOTOS}")
    for photo in photos:
        image = cv2.resize(cv2.cvtColor(cv2.imread(str(photo)), cv2.COLOR_BGR2RGB), (250, 187))
        p = smooth_probabilities(labels, 187, 250)
        oracle = densecrf.DenseCRF2D(250, 187, labels)
        oracle.setUnaryEnergy(unary_from_softmax(p))
        oracle.addPairwiseGaussian(3, 3)
        oracle.addPairwiseBilateral(80, 13, image, 10)
        theirs = np.array(oracle.inference(10)).reshape(p.shape)
        ours = DenseCRF()(image, p)
        assert np.abs(ours - theirs).mean() < 1e-4
        assert (ours.argmax(0) == theirs.argmax(0)).mean() > 0.999


def test_the_torch_lattice_gives_the_same_marginals() -> None:
    image, p = smooth_image(20, 26), smooth_probabilities(4, 20, 26)
    bilateral = bilateral_features(image, 80, 13)
    theirs = infer_on_device(torch.from_numpy(p)[None], spatial_features(20, 26, 3), [bilateral], (3.0, 10.0), 10)[0]
    np.testing.assert_allclose(DenseCRF()(image, p), theirs.numpy(), atol=1e-4)


def test_marginals_sum_to_one_and_tensors_come_back_as_tensors() -> None:
    image, p = smooth_image(15, 20), smooth_probabilities(5, 15, 20)
    out = DenseCRF()(image, p)
    assert out.dtype == np.float32 and out.shape == p.shape
    np.testing.assert_allclose(out.sum(0), 1, atol=1e-5)
    as_tensor = DenseCRF()(torch.from_numpy(image), torch.from_numpy(p))
    np.testing.assert_array_equal(as_tensor.numpy(), out)


def test_python_threads_and_a_fork_after_use() -> None:
    image, p = smooth_image(40, 50), smooth_probabilities(3, 40, 50)
    expected = DenseCRF()(image, p)
    with ThreadPoolExecutor(4) as pool:
        for out in pool.map(lambda _: DenseCRF()(image, p), range(8)):
            np.testing.assert_array_equal(out, expected)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forking where threads ran: what is tested here
        child = os.fork()
    if child == 0:
        os._exit(0 if np.array_equal(DenseCRF()(image, p), expected) else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_labels_are_symmetric() -> None:
    image, p = smooth_image(15, 20), smooth_probabilities(3, 15, 20)
    np.testing.assert_allclose(DenseCRF()(image, p[::-1]), DenseCRF()(image, p)[::-1], atol=1e-5)


def test_without_kernels_or_iterations_nothing_changes() -> None:
    image, p = smooth_image(15, 20), smooth_probabilities(3, 15, 20).clip(1e-3)
    p /= p.sum(0)
    for crf in (DenseCRF(iterations=0), DenseCRF(gaussian_weight=0, bilateral_weight=0)):
        np.testing.assert_allclose(crf(image, p), p, atol=1e-5)


def test_a_batch_is_its_images() -> None:
    images = np.stack([smooth_image(12, 16, s) for s in (0, 1)])
    p = np.stack([smooth_probabilities(3, 12, 16, s) for s in (0, 1)])
    np.testing.assert_array_equal(
        DenseCRF().batch(images, p), [DenseCRF()(i, q) for i, q in zip(images, p, strict=True)]
    )


def test_hard_masks_snap_to_an_edge() -> None:
    """A mask two pixels off the edge of two flat halves, and unknown near it, ends on the edge."""
    image = np.zeros((20, 30, 3), np.uint8)
    image[:, 15:] = 255
    labels = np.zeros((20, 30), np.uint8)
    labels[:, 17:] = 1
    labels[:, 12:20] = 255
    out = DenseCRF()(image, label_probabilities(labels, 2, confidence=0.7)).argmax(0)
    np.testing.assert_array_equal(out, np.broadcast_to(np.arange(30) >= 15, (20, 30)))


@pytest.mark.parametrize(
    ("image", "p", "message"),
    [
        (np.zeros((2, 4, 3), np.uint8), None, r"size \(2, 4\), got \(2, 3\)"),
        (np.zeros((2, 3, 3), np.float32), None, "expected uint8 images .*got float32"),
        (np.zeros((2, 3), np.uint8), None, r"got uint8 \(2, 3\)"),
        (None, np.ones((1, 2, 3)), r"at least 2 labels, got \(1, 2, 3\)"),
        (None, np.stack([np.full((2, 3), 1.25), np.full((2, 3), -0.25)]), "≥ 0, got -0.25"),
        (None, np.full((2, 2, 3), 0.4), "sums from 0.8 to 0.8"),
        (None, np.full((2, 2, 3), np.nan), "≥ 0, got nan"),
    ],
)
def test_errors_name_the_numbers(image: np.ndarray | None, p: np.ndarray | None, message: str) -> None:
    image = np.zeros((2, 3, 3), np.uint8) if image is None else image
    p = np.full((2, 2, 3), 0.5, np.float32) if p is None else p
    with pytest.raises(ValueError, match=message):
        DenseCRF()(image, p)


def test_parameters_are_checked() -> None:
    with pytest.raises(ValueError, match="bilateral_rgb > 0, got 0"):
        DenseCRF(bilateral_rgb=0)
    with pytest.raises(ValueError, match="iterations ≥ 0, got -1"):
        DenseCRF(iterations=-1)


def test_import_is_light() -> None:
    code = "import sys, wsss_core.crf; sys.exit('numba' in sys.modules or 'torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
