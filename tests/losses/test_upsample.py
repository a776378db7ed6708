import pytest
import torch

from wsss_core.losses.upsample import upsample


def test_nodes_keep_their_value_and_the_middle_is_the_mean() -> None:
    grid = torch.tensor([[[[0.0, 4.0], [8.0, 12.0]]]])
    assert upsample(grid, (3, 3))[0, 0].tolist() == [[0, 2, 4], [4, 6, 8], [8, 10, 12]]


def test_stride_times_k_plus_one_puts_node_k_on_pixel_stride_times_k() -> None:
    grid = torch.rand(2, 3, 5, 5, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(upsample(grid, (33, 33))[:, :, ::8, ::8], grid)


def test_equal_size_is_handed_on_without_a_copy() -> None:
    grid = torch.zeros(1, 2, 4, 5)
    assert upsample(grid, (4, 5)) is grid


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_ends_here(dtype: torch.dtype) -> None:
    assert upsample(torch.zeros(1, 2, 4, 4, dtype=dtype), (4, 4)).dtype == torch.float32


def test_double_precision_stays() -> None:
    assert upsample(torch.zeros(1, 2, 4, 4, dtype=torch.float64), (8, 8)).dtype == torch.float64


def test_three_dimensions_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\(B, C, h, w\), got \(2, 4, 4\)"):
        upsample(torch.zeros(2, 4, 4), (8, 8))
