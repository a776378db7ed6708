"""The lattice on the CPU, in torch and in full agree; its transpose and its diagonal are exact."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from wsss_core.crf.embedding import embed
from wsss_core.crf.exact import ExactFilter
from wsss_core.crf.numba_lattice import NumbaLattice
from wsss_core.crf.torch_lattice import TorchLattice


def points(n: int, d: int, spread: float, seed: int = 0) -> np.ndarray:
    return (np.random.default_rng(seed).random((n, d)) * spread).astype(np.float32)


@pytest.mark.parametrize("d", [1, 2, 3, 5])
def test_both_constructions_give_the_same_filter(d: int) -> None:
    features, values = points(200, d, 4.0), points(200, 3, 1.0, seed=1)
    ours = NumbaLattice(features).filter(values, base=values)
    theirs = TorchLattice(torch.from_numpy(features)).filter(torch.from_numpy(values), base=torch.from_numpy(values))
    np.testing.assert_allclose(ours, theirs.numpy(), rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("d", [2, 5])
def test_transpose_and_diagonal_are_those_of_the_matrix(d: int) -> None:
    lattice = NumbaLattice(points(150, d, 6.0))
    matrix = lattice.filter(np.eye(150))
    np.testing.assert_allclose(lattice.filter(np.eye(150), transpose=True), matrix.T, atol=1e-6)
    np.testing.assert_allclose(lattice.self_weights(), np.diag(matrix), atol=1e-6)
    assert np.abs(matrix - matrix.T).max() > 1e-3, "an order of axes that does not matter would not test the transpose"


def test_torch_transpose_and_diagonal() -> None:
    lattice = TorchLattice(torch.from_numpy(points(100, 3, 6.0)).double())
    matrix = lattice.filter(torch.eye(100, dtype=torch.float64))
    torch.testing.assert_close(lattice.filter(torch.eye(100, dtype=torch.float64), transpose=True), matrix.T)
    torch.testing.assert_close(lattice.self_weights(), matrix.diagonal())


def test_a_lone_point_by_hand() -> None:
    """A point on a vertex, d = 1: it stays (1), or goes to its simplex's other corner and back (¼), over 1 + 2^−d."""
    assert NumbaLattice(np.zeros((1, 1), np.float32)).filter(np.ones((1, 1)))[0, 0] == pytest.approx(1.25 / 1.5)


def test_scaled_filters_between_two_diagonals() -> None:
    features, values, factors = points(80, 2, 5.0), points(80, 2, 1.0, seed=1), points(80, 1, 2.0, seed=2)[:, 0]
    for lattice in (
        NumbaLattice(features),
        TorchLattice(torch.from_numpy(features)),
        ExactFilter(torch.from_numpy(features)),
    ):
        wrap = np.asarray if isinstance(lattice, NumbaLattice) else torch.from_numpy
        scaled = lattice.scaled(wrap(factors)).filter(wrap(values))
        by_hand = factors[:, None] * np.asarray(lattice.filter(wrap(factors[:, None] * values)))
        np.testing.assert_allclose(np.asarray(scaled), by_hand, rtol=1e-4, atol=1e-5)


def test_exact_kernel_by_hand() -> None:
    kernel = ExactFilter(torch.tensor([[0.0, 0.0], [3.0, 4.0]]))
    expected = torch.tensor([[1.0 + 2 * np.exp(-12.5)], [2.0 + np.exp(-12.5)]], dtype=torch.float32)
    torch.testing.assert_close(kernel.filter(torch.tensor([[1.0], [2.0]])), expected)


def test_the_table_grows() -> None:
    """More vertices than the first table holds (32,768): every point alone, far from the others."""
    features = np.stack(np.meshgrid(*[np.arange(0, 400, 4)] * 2), -1).reshape(-1, 2).astype(np.float32)
    lattice = NumbaLattice(features)
    assert lattice._neighbours.shape[1] > 25_000
    mine, torchs = (
        lattice.filter(np.ones((10_000, 1))),
        TorchLattice(torch.from_numpy(features)).filter(torch.ones(10_000, 1)),
    )
    np.testing.assert_allclose(mine, torchs.numpy(), rtol=1e-5)


def test_same_bytes_for_any_number_of_threads(numbas_threads: Iterator[int]) -> None:
    features, values = points(5000, 5, 3.0), points(5000, 7, 1.0, seed=1)
    one, two = (NumbaLattice(features).filter(values).tobytes() for _ in numbas_threads)
    assert one == two


@pytest.mark.parametrize("high", [1e30, float("nan")])
def test_features_must_fit_into_keys(high: float) -> None:
    with pytest.raises(ValueError, match="finite features within fewer kernel widths"):
        embed([0.0, 0.0], [1.0, high])
