import pytest
import torch

from wsss_core.losses.soft_targets import soft_targets


def test_labels_become_one_hot_rows_and_ignored_pixels_zero_rows() -> None:
    labels = torch.tensor([[[0, 2], [255, 1]]])
    valid = torch.tensor([[[True, True], [True, False]]])
    q, labelled = soft_targets({"labels": labels, "valid": valid}, 3)
    assert labelled.tolist() == [[[True, True], [False, False]]]
    assert q.tolist() == [[[[1, 0], [0, 0]], [[0, 0], [0, 0]], [[0, 1], [0, 0]]]]
    assert q.dtype == torch.float32


def test_a_posterior_is_labelled_where_its_row_has_mass_inside_the_photo() -> None:
    posterior = torch.tensor([[[[0.25, 0.0, 0.5]], [[0.75, 0.0, 0.5]]]])
    valid = torch.tensor([[[True, True, False]]])
    q, labelled = soft_targets({"posterior": posterior, "valid": valid}, 2)
    assert q is posterior
    assert labelled.tolist() == [[[True, False, False]]]


@pytest.mark.parametrize("label", [3, 254, -1])
def test_a_label_out_of_range_is_named(label: int) -> None:
    labels = torch.tensor([[[0, label]]])
    with pytest.raises(ValueError, match=rf"0\.\.2 or 255, got .*{label}"):
        soft_targets({"labels": labels, "valid": torch.ones(1, 1, 2, dtype=torch.bool)}, 3)


def test_a_stray_label_on_padding_is_not_looked_at() -> None:
    labels, valid = torch.tensor([[[1, 77]]]), torch.tensor([[[True, False]]])
    q, _ = soft_targets({"labels": labels, "valid": valid}, 2)
    assert q[0, :, 0, 1].tolist() == [0, 0]


def test_neither_and_both_kinds_of_target_are_refused() -> None:
    valid = torch.ones(1, 2, 2, dtype=torch.bool)
    labels, posterior = torch.zeros(1, 2, 2, dtype=torch.int64), torch.zeros(1, 3, 2, 2)
    with pytest.raises(ValueError, match="either labels or posterior"):
        soft_targets({"valid": valid}, 3)
    with pytest.raises(ValueError, match="either labels or posterior"):
        soft_targets({"valid": valid, "labels": labels, "posterior": posterior}, 3)


def test_shapes_that_do_not_fit_are_refused() -> None:
    valid = torch.ones(1, 2, 2, dtype=torch.bool)
    with pytest.raises(ValueError, match=r"\(B, 4, S, S\), got \(1, 3, 2, 2\)"):
        soft_targets({"valid": valid, "posterior": torch.zeros(1, 3, 2, 2)}, 4)
    with pytest.raises(ValueError, match=r"\(1, 2, 3\).*\(1, 2, 2\)"):
        soft_targets({"valid": valid, "labels": torch.zeros(1, 2, 3, dtype=torch.int64)}, 4)
