"""Sums over superpixels against a loop over regions, and by hand."""

import math

import pytest
import torch

from wsss_core.affinity.energy import energy, mined_energy
from wsss_core.affinity.regions import (
    confident_regions,
    label_counts,
    pool,
    pooling_weights,
    pure_regions,
    region_means,
)
from wsss_core.losses.affinity import AffinityLoss, region_smoothness
from wsss_core.losses.regions import RegionLoss
from wsss_core.losses.upsample import upsample


def random_regions(*shape: int, n: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(-1, n, shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("grid", [(4, 5), (1, 5), (1, 1), (9, 13)])
def test_pooled_features_are_means_of_the_enlarged_ones(grid):
    regions, n = random_regions(2, 9, 13, n=6), 7  # region 6 has no pixel
    features = torch.randn(2, 3, *grid, generator=torch.Generator().manual_seed(1))
    pooled = pool(features, regions, n)
    full = upsample(features, (9, 13))
    for image in range(2):
        for region in range(n):
            inside = regions[image] == region
            expected = full[image][:, inside].mean(1) if inside.any() else torch.zeros(3)
            torch.testing.assert_close(pooled[image, region], expected, atol=1e-5, rtol=1e-5)


def test_pooling_from_a_smaller_picture_follows_pixel_areas():
    # 6 pixels shrank to 3, whose grid has nodes on pixels 0 and 2: pixel 2 of 6 lies at 0.75 of 3, so at 0.375.
    regions = torch.tensor([[[0, 0, 1, 2, 3, 3]]])
    weights = pooling_weights(regions, (1, 2), 4, entered=(1, 3))[0]
    expected = torch.tensor([[1 - (0 + 0.125) / 2, 0.0625], [0.625, 0.375], [0.375, 0.625], [0.0625, 0.9375]])
    torch.testing.assert_close(weights, expected)


def test_pooling_has_the_gradient_of_the_means():
    regions = random_regions(1, 5, 5, n=4)
    features = torch.randn(1, 2, 3, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda f: pool(f, regions, 4), features, atol=1e-5)


def test_thousands_of_regions_are_pooled_at_once():
    regions = torch.arange(150 * 200).view(1, 150, 200) // 6  # 5,000 regions
    features = torch.randn(1, 8, 10, 13)
    pooled = pool(features, regions, 5000)
    expected = upsample(features, (150, 200)).flatten(2).view(8, 5000, 6).mean(2).T
    torch.testing.assert_close(pooled[0], expected, atol=1e-5, rtol=1e-5)


def test_labels_are_counted_in_their_regions():
    regions = torch.tensor([[[0, 0, 1], [0, -1, 1]]])
    labels = torch.tensor([[[2, 2, 255], [0, 1, 1]]])
    assert label_counts(labels, regions, 3, 3).tolist() == [[[1, 0, 2, 0], [0, 1, 0, 1], [0, 0, 0, 0]]]


def test_a_region_is_pure_above_the_share_and_unknown_pixels_count_against_it():
    regions = torch.zeros(1, 1, 10, dtype=torch.long)
    regions[0, 0, 5:] = 1
    labels = torch.tensor([[[1, 1, 1, 1, 0, 2, 2, 2, 2, 255]]])
    assert pure_regions(labels, regions, 3, 3, purity=0.79).tolist() == [[1, 2, 255]]
    assert pure_regions(labels, regions, 3, 3, purity=0.8).tolist() == [[255, 255, 255]]  # "more than"


def test_confident_regions_lie_above_the_bound():
    posterior = torch.tensor([[0.25, 0.75, 0.0], [0.45, 0.55, 0.0], [1.0, 0.0, 0.0]])
    assert confident_regions(posterior, confidence=0.7).tolist() == [1, 255, 0]
    assert confident_regions(posterior, confidence=0.75).tolist() == [255, 255, 0]  # "above"


def test_region_means_are_those_of_a_loop():
    regions = random_regions(2, 6, 7, n=5)
    maps = torch.randn(2, 3, 6, 7, generator=torch.Generator().manual_seed(3), dtype=torch.float64, requires_grad=True)
    means = region_means(maps, regions)
    for image in range(2):
        for region in range(-1, 5):
            inside = regions[image] == region
            if inside.any():
                expected = maps[image][:, inside].mean(1) if region >= 0 else torch.zeros(3, dtype=torch.float64)
                assert torch.allclose(means[image][:, inside], expected[:, None])
    assert torch.autograd.gradcheck(lambda m: region_means(m, regions), maps)


def test_smoothness_is_the_variance_within_regions():
    # Nodes on pixels 0, 2, 4: regions 0, 0, 1. Values 1 and 3 differ from their mean by 1 each, 5 stands alone.
    superpixels = torch.tensor([[[0, 9, 0, 9, 1]]])
    maps = torch.tensor([[[[1.0, 3.0, 5.0]]]])
    assert region_smoothness(maps, superpixels).item() == pytest.approx(2 / 3)
    padded = torch.tensor([[[0, 9, 0, 9, -1]]])
    assert region_smoothness(maps, padded).item() == pytest.approx(1)
    with pytest.raises(ValueError, match=r"sides of k·\(0, 2\) \+ 1 pixels, got \(1, 6\)"):
        region_smoothness(torch.zeros(1, 1, 1, 3), torch.zeros(1, 1, 6, dtype=torch.long))


def test_affinity_loss_is_a_mean_over_labelled_pixels_plus_smoothness():
    log_p = torch.tensor([0.25, 0.75]).log().view(1, 2, 1, 1).expand(1, 2, 1, 3)
    weights = torch.zeros(1, 4, 3, 1, 1, 3)
    weights[0, 0, 0, 0, 0] = torch.tensor([1.0, 3.0, 5.0])
    batch = {
        "labels": torch.tensor([[[0, 1, 255]]]),
        "valid": torch.tensor([[[True, True, True]]]),
        "superpixels": torch.tensor([[[0, 0, 1]]]),
    }
    terms = AffinityLoss(smoothness=6.0)((log_p, weights), batch)
    assert terms["log_likelihood"].item() == pytest.approx(-(torch.tensor([0.25, 0.75]).log().mean().item()))
    assert terms["smoothness"].item() == pytest.approx(6 * 2 / 3 / 12)  # one of twelve maps varies
    assert list(AffinityLoss(smoothness=0)((log_p, weights), batch)) == ["log_likelihood"]
    unlabelled = batch | {"labels": torch.full((1, 1, 3), 255)}
    assert AffinityLoss()((log_p, weights), unlabelled)["log_likelihood"].item() == 0


def test_between_nodes_probabilities_sum_to_one_as_at_inference():
    log_p = torch.tensor([[0.9, 0.5], [0.1, 0.5]]).log()[None, :, None]  # odds 9 and 1: between them 3
    batch = {"labels": torch.tensor([[[255, 0, 255]]]), "valid": torch.ones(1, 1, 3, dtype=torch.bool)}
    terms = AffinityLoss(smoothness=0)((log_p, torch.zeros(1, 4, 3, 1, 1, 2)), batch)
    assert terms["log_likelihood"].item() == pytest.approx(-math.log(0.75))


def test_region_loss_looks_at_pure_regions_alone():
    batch = {"labels": torch.tensor([[[1, 1, 0, 1]]]), "superpixels": torch.tensor([[[0, 0, 1, 1]]])}
    logits = torch.zeros(1, 2, 2)
    logits[0, 1] = torch.tensor([50.0, -50.0])  # the mixed region would cost much
    terms = RegionLoss()(logits, batch)
    assert terms["cross_entropy"].item() == pytest.approx(torch.tensor(2.0).log().item())
    assert terms["samples"].item() == 1
    mixed = batch | {"labels": torch.tensor([[[1, 0, 0, 1]]])}
    assert RegionLoss()(logits, mixed)["cross_entropy"].item() == 0


def test_energy_by_hand():
    unary = torch.tensor([[[0.2, 0.5]], [[0.8, 0.5]]])
    after = torch.tensor([[[0.1, 0.5]], [[0.9, 0.5]]])
    # pixel 1: .2 · .1 + .8 · (−.1) = −.06, pixel 2: 0
    assert energy(unary, after) == pytest.approx(-0.03)
    assert energy(unary, unary) == 0
    assert mined_energy(unary, after, torch.tensor([[1, 255]])) == pytest.approx(-0.1)
    assert mined_energy(unary, after, torch.tensor([[255, 255]])) is None


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda r: pooling_weights(r[0], (2, 2), 3), "expected regions"),
        (lambda r: pooling_weights(r, (2, 2), 2), r"regions in 0..1 or -1, got 0 to 2"),
        (lambda r: label_counts(r[:, :1], r, 3, 2), "labels have shape"),
        (lambda r: label_counts(r, r, 3, 2), r"labels in 0..1 or 255, got 0 to 2"),
        (lambda r: region_means(torch.zeros(1, 1, 3, 3), r), "maps have shape"),
        (lambda _: energy(torch.zeros(2, 1, 1), torch.zeros(3, 1, 1)), "two maps"),
        (lambda _: mined_energy(torch.zeros(2, 1, 1), torch.zeros(2, 1, 1), torch.zeros(2, 2)), "probabilities have"),
        (lambda _: RegionLoss(purity=1.0), r"purity must lie in \[0, 1\)"),
        (lambda _: AffinityLoss(smoothness=-1), "smoothness must not be negative"),
    ],
)
def test_wrong_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(torch.tensor([[[0, 1], [2, 2]]]))
