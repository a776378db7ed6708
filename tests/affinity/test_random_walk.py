import math

import numpy as np
import pytest
import torch

from wsss_core.affinity import affinities, random_walk, transition


def drawn_features(depth: int, height: int, width: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(depth, height, width, generator=generator, dtype=torch.float64)


def test_by_hand() -> None:
    """Two nodes ln 2 apart: affinity ½, and its square ¼."""
    affinity = affinities(torch.tensor([[[0.0, math.log(2)]]], dtype=torch.float64))
    one, half = torch.tensor([1.0, 0.5], dtype=torch.float64)
    torch.testing.assert_close(affinity, torch.stack([one, half, half, one]).reshape(2, 2))
    matrix = transition(affinity, beta=1)
    torch.testing.assert_close(matrix, torch.tensor([[2.0, 1.0], [1.0, 2.0]], dtype=torch.float64) / 3)
    torch.testing.assert_close(transition(affinity, beta=2)[0], torch.tensor([0.8, 0.2], dtype=torch.float64))
    scores = torch.tensor([[[9.0, 0.0]]], dtype=torch.float64)
    for log2_steps, expected in ((0, [6.0, 3.0]), (1, [5.0, 4.0])):
        walked = random_walk(scores, matrix, log2_steps=log2_steps)
        torch.testing.assert_close(walked, torch.tensor([[expected]], dtype=torch.float64))


def test_affinities_of_each_pair() -> None:
    features = drawn_features(3, 6, 7)
    affinity = affinities(features, radius=3)
    for i, j in np.ndindex(42, 42):
        (r, s), (q, t) = divmod(i, 7), divmod(j, 7)
        expected = (
            math.exp(-(features[:, r, s] - features[:, q, t]).abs().sum()) if math.dist((r, s), (q, t)) < 3 else 0
        )
        assert affinity[i, j].item() == pytest.approx(expected)


def test_five_nodes_away_is_too_far() -> None:
    affinity = affinities(torch.zeros(1, 6, 6)).reshape(6, 6, 6, 6)
    assert affinity[0, 0, 0, 4] == affinity[0, 0, 3, 3] == affinity[5, 5, 1, 5] == 1
    assert affinity[0, 0, 0, 5] == affinity[0, 0, 3, 4] == affinity[0, 0, 5, 0] == 0


def test_rows_sum_to_one_and_constants_are_preserved() -> None:
    matrix = transition(affinities(0.1 * drawn_features(4, 7, 9)))
    assert matrix.min() >= 0
    torch.testing.assert_close(matrix.sum(1), torch.ones(63, dtype=torch.float64))
    constants = torch.tensor([0.2, 0.7], dtype=torch.float64)[:, None, None].expand(2, 7, 9)
    torch.testing.assert_close(random_walk(constants, matrix), constants)
    scores = drawn_features(2, 7, 9, seed=1)
    walked = random_walk(scores, matrix)
    assert walked.min() > scores.min() and walked.max() < scores.max()


def test_as_many_steps_as_said() -> None:
    matrix, scores = transition(affinities(drawn_features(1, 3, 4)), beta=2), drawn_features(2, 3, 4, seed=1)
    walked = scores.flatten(1)
    for _ in range(256):
        walked = walked @ matrix.T
    torch.testing.assert_close(random_walk(scores, matrix).flatten(1), walked)


def test_the_walk_stays_within_like_features() -> None:
    """Two halves whose features differ: each ends at its own mean, up to what 256 steps leak through e^(−8·5)."""
    features = torch.zeros(1, 4, 6, dtype=torch.float64)
    features[..., 3:] = 5
    scores = drawn_features(1, 4, 6, seed=2) + features
    walked = random_walk(scores, transition(affinities(features, radius=2)))
    assert walked[..., :3].std() < 1e-3 and walked[..., 3:].std() < 1e-3
    assert (walked[..., 0] - walked[..., 5]).abs().min() > 3


def test_gradcheck() -> None:
    features, scores = drawn_features(2, 2, 3).requires_grad_(), drawn_features(2, 2, 3, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(
        lambda f, s: random_walk(s, transition(affinities(f, radius=2), beta=2), log2_steps=2), (features, scores)
    )


def test_input_that_does_not_fit() -> None:
    with pytest.raises(ValueError, match=r"features \(D, h, w\).*\(3, 4\)"):
        affinities(torch.zeros(3, 4))
    with pytest.raises(ValueError, match="radius > 0, got 0"):
        affinities(torch.zeros(1, 3, 4), radius=0)
    with pytest.raises(ValueError, match=r"affinities \(n, n\).*\(3, 4\)"):
        transition(torch.zeros(3, 4))
    with pytest.raises(ValueError, match="beta > 0, got -1"):
        transition(torch.eye(3), beta=-1)
    with pytest.raises(ValueError, match="positive sum, got 0"):
        transition(torch.zeros(3, 3))
    with pytest.raises(ValueError, match=r"\(2, 3, 4\) and \(11, 11\)"):
        random_walk(torch.zeros(2, 3, 4), torch.eye(11))
    with pytest.raises(ValueError, match="log2_steps ≥ 0, got -1"):
        random_walk(torch.zeros(2, 3, 4), torch.eye(12), log2_steps=-1)
