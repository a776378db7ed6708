"""Tolerances against all pairs, measured on smooth images: a lattice filter is within 0.01 on average, 0.15 at most."""

import cv2
import numpy as np
import pytest
import torch

from wsss_core.crf.features import bilateral_features, spatial_features
from wsss_core.crf.filtering import GaussianFilter
from wsss_core.crf.neighbour_mean import GridFilter, neighbour_mean


def smooth_image(height: int, width: int, seed: int) -> np.ndarray:
    return cv2.resize(np.random.default_rng(seed).integers(0, 256, (4, 5, 3), dtype=np.uint8), (width, height))


def smooth_values(height: int, width: int, seed: int) -> torch.Tensor:
    coarse = np.random.default_rng(seed).dirichlet(np.ones(3), (5, 6)).astype(np.float32)
    return torch.from_numpy(cv2.resize(coarse, (width, height)).reshape(-1, 3))


@pytest.mark.parametrize("exclude_self", [False, True])
@pytest.mark.parametrize("seed", [0, 1])
def test_lattice_is_near_all_pairs(seed: int, exclude_self: bool) -> None:
    values = smooth_values(24, 32, seed)
    for features in (spatial_features(24, 32, 3), bilateral_features(smooth_image(24, 32, seed), 80, 13)):
        lattice, exact = (
            GaussianFilter(torch.from_numpy(features), method=m, exclude_self=exclude_self, normalise="rows")(values)
            for m in ("lattice", "exact")
        )
        difference = (lattice - exact).abs()
        assert difference.mean() < 0.01 and difference.max() < 0.15


@pytest.mark.parametrize("method", ["lattice", "exact"])
@pytest.mark.parametrize("exclude_self", [False, True])
def test_rows_preserve_constants_and_ranges(method: str, exclude_self: bool) -> None:
    features = torch.from_numpy(bilateral_features(smooth_image(10, 12, 0), 80, 13))
    features[0] = 200.0  # a pixel without any neighbour
    smooth = GaussianFilter(features, method=method, exclude_self=exclude_self, normalise="rows")  # type: ignore[arg-type]
    torch.testing.assert_close(smooth(torch.full((120, 2), 0.3)), torch.full((120, 2), 0.3), rtol=1e-4, atol=1e-4)
    out = smooth(torch.rand(120, 2, generator=torch.Generator().manual_seed(0)))
    assert out.min() >= -1e-5 and out.max() <= 1 + 1e-5


@pytest.mark.parametrize("normalise", ["none", "rows", "symmetric"])
def test_by_hand_without_self(normalise: str) -> None:
    """Two points one width apart: k = e^−½, and without self the sums are k too."""
    k = float(np.exp(-0.5))
    smooth = GaussianFilter(torch.tensor([[0.0], [1.0]]), method="exact", exclude_self=True, normalise=normalise)  # type: ignore[arg-type]
    weight = k if normalise == "none" else 1.0
    torch.testing.assert_close(smooth(torch.tensor([[2.0], [5.0]])), weight * torch.tensor([[5.0], [2.0]]))


def test_without_self_a_pixel_never_sees_its_own_value() -> None:
    features = torch.from_numpy(bilateral_features(smooth_image(6, 7, 0), 80, 13))
    for method in ("lattice", "exact"):
        matrix = GaussianFilter(features, method=method, exclude_self=True)(torch.eye(42))  # type: ignore[arg-type]
        assert matrix.diagonal().abs().max() < 1e-6
        assert matrix.min() > -1e-6


def test_exact_symmetric_kernel_is_symmetric_and_the_lattice_nearly_so() -> None:
    features = torch.from_numpy(spatial_features(9, 9, 3))
    exact = GaussianFilter(features, method="exact", normalise="symmetric")(torch.eye(81))
    torch.testing.assert_close(exact, exact.T)
    lattice = GaussianFilter(features, normalise="symmetric")(torch.eye(81))
    assert (lattice - lattice.T).abs().max() < 0.2 * lattice.max()


@pytest.mark.parametrize("method", ["lattice", "exact"])
@pytest.mark.parametrize("normalise", ["none", "rows", "symmetric"])
def test_gradcheck(method: str, normalise: str) -> None:
    generator = torch.Generator().manual_seed(0)
    features = 4 * torch.rand(12, 3, generator=generator, dtype=torch.float64)
    values = torch.rand(12, 2, generator=generator, dtype=torch.float64, requires_grad=True)
    for exclude_self in (False, True):
        smooth = GaussianFilter(features, method=method, exclude_self=exclude_self, normalise=normalise)  # type: ignore[arg-type]
        assert torch.autograd.gradcheck(smooth, values)


def test_gradient_through_the_cpu_kernels_is_the_transposed_filter() -> None:
    features = torch.from_numpy(bilateral_features(smooth_image(6, 7, 1), 80, 13))
    smooth = GaussianFilter(features)
    values = torch.rand(42, 2, requires_grad=True)
    weights = torch.rand(42, 2)
    (smooth(values) * weights).sum().backward()
    torch.testing.assert_close(values.grad, smooth(torch.eye(42)).T @ weights, rtol=1e-4, atol=1e-5)


def test_mixture_by_hand() -> None:
    """Points 0, 1 and 3 apart on a line, widths 1 and 2, weights 2 and 1."""
    x = torch.tensor([[0.0], [1.0], [3.0]], dtype=torch.float64)
    values = torch.tensor([[1.0], [2.0], [4.0]], dtype=torch.float64)
    narrow, wide = ([np.exp(-((d / s) ** 2) / 2) for d in (1, 3)] for s in (1, 2))
    apart = 2 * (2 * narrow[0] + 4 * narrow[1]) / sum(narrow) + (2 * wide[0] + 4 * wide[1]) / sum(wide)
    k = [2 * n + w for n, w in zip(narrow, wide, strict=True)]
    raw = 2 * k[0] + 4 * k[1]
    for normalised, expected in (("each", apart), ("joint", raw / sum(k)), ("none", raw)):
        kernels = [GaussianFilter(f, method="exact", exclude_self=True) for f in (x, x / 2)]
        mean = neighbour_mean(values, kernels, (2.0, 1.0), normalised=normalised)
        assert mean[0].item() == pytest.approx(expected)


@pytest.mark.parametrize("normalised", ["joint", "each"])
def test_mixture_on_the_lattice_is_near_all_pairs(normalised: str) -> None:
    image, values = smooth_image(24, 32, 2), smooth_values(24, 32, 2)
    spatial, bilateral = (torch.from_numpy(f) for f in (spatial_features(24, 32, 3), bilateral_features(image, 80, 13)))
    grid = GridFilter(torch.ones(24, 32, dtype=torch.bool), 3)
    pairs = GaussianFilter(spatial, method="exact", exclude_self=True)
    lattice, exact = (
        neighbour_mean(
            values, (near, GaussianFilter(bilateral, method=m, exclude_self=True)), (3.0, 10.0), normalised=normalised
        )
        for near, m in ((grid, "lattice"), (pairs, "exact"))
    )
    assert (lattice - exact).abs().mean() < (0.01 if normalised == "joint" else 0.01 * 13)


def test_the_grid_filter_is_the_filter_over_all_pairs() -> None:
    """Also on part of a grid, and backwards."""
    torch.manual_seed(0)
    inside = torch.rand(9, 7) < 0.6
    values = torch.randn(int(inside.sum()), 2, dtype=torch.float64, requires_grad=True)
    for width in (0.7, 2.0):
        grid = GridFilter(inside, width, dtype=torch.float64)
        pairs = GaussianFilter(inside.nonzero().double() / width, method="exact", exclude_self=True)
        torch.testing.assert_close(grid(values), pairs(values), atol=1e-4, rtol=0)
        torch.testing.assert_close(grid.mass, pairs.mass, atol=1e-4, rtol=0)
        assert torch.autograd.gradcheck(grid, values)


def test_a_node_without_neighbours_keeps_its_value() -> None:
    inside = torch.zeros(9, 9, dtype=torch.bool)
    inside[0, 0] = inside[8, 8] = True
    values = torch.tensor([[1.0], [5.0]])
    for normalised, factor in (("joint", 1), ("each", 3)):
        assert neighbour_mean(values, [GridFilter(inside, 0.5)], [3.0], normalised=normalised).tolist() == [
            [factor],
            [5 * factor],
        ]


def test_errors_name_what_is_wrong() -> None:
    with pytest.raises(ValueError, match=r"expected float features \(N, d\), got torch.int64 \(3, 2\)"):
        GaussianFilter(torch.zeros(3, 2, dtype=torch.int64))
    with pytest.raises(ValueError, match="fast"):
        GaussianFilter(torch.zeros(3, 2), method="fast")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"expected values \(3, C\), got \(4, 1\)"):
        GaussianFilter(torch.zeros(3, 2))(torch.zeros(4, 1))
