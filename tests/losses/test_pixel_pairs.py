"""The loss of pixel pairs against a loop over all pairs."""

import math

import pytest
import torch

from wsss_core.losses.pixel_pairs import PixelPairLoss
from wsss_core.losses.upsample import on_grid


def slow(features, labels, radius):
    """A loop over pairs, from the formula."""
    found = {"background": [], "foreground": [], "different": []}
    points = [(y, x) for y in range(labels.shape[1]) for x in range(labels.shape[2])]
    for image in range(len(labels)):
        for i, (y, x) in enumerate(points):
            for v, u in points[i + 1 :]:
                if math.hypot(y - v, x - u) < radius:
                    a = torch.exp(-(features[image, :, y, x] - features[image, :, v, u]).abs().mean())
                    one, other = int(labels[image, y, x]), int(labels[image, v, u])
                    if 255 in (one, other):
                        continue
                    if one != other:
                        found["different"].append(-2 * torch.log(1 - a))
                    else:
                        found["background" if one == 0 else "foreground"].append(-torch.log(a))
    return {name: torch.stack(costs).mean() if costs else torch.zeros(()) for name, costs in found.items()}


@pytest.mark.parametrize(("height", "width", "radius"), [(5, 6, 3.0), (2, 9, 5.0), (1, 4, 2.5)])
def test_every_near_pair_counts_once(height, width, radius):
    rng = torch.Generator().manual_seed(0)
    features = torch.randn(2, 3, height, width, generator=rng, dtype=torch.float64)
    labels = torch.tensor([0, 1, 2, 255])[torch.randint(0, 4, (2, height, width), generator=rng)]
    terms = PixelPairLoss(radius=radius)(features, {"labels": labels})
    for name, expected in slow(features, labels, radius).items():
        torch.testing.assert_close(terms[name], expected.double())


def test_labels_are_those_under_the_nodes():
    maps = torch.arange(45).view(1, 5, 9)
    assert on_grid(maps, torch.zeros(1, 9, 3, 3)).tolist() == [[[0, 4, 8], [18, 22, 26], [36, 40, 44]]]
    assert on_grid(maps[:, :1], torch.zeros(1, 9, 1, 9)).tolist() == [[list(range(9))]]
    with pytest.raises(ValueError, match=r"sides of k·\(2, 3\) \+ 1 pixels, got \(5, 9\)"):
        on_grid(maps, torch.zeros(1, 9, 3, 4))


def test_no_labelled_pair_costs_nothing():
    terms = PixelPairLoss()(torch.zeros(1, 2, 3, 3), {"labels": torch.full((1, 3, 3), 255)})
    assert [term.item() for term in terms.values()] == [0, 0, 0]


def test_the_gradient_is_that_of_the_formula():
    labels = torch.tensor([[[0, 1, 0], [1, 1, 255]]])
    features = torch.randn(1, 2, 2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda f: sum(PixelPairLoss()(f, {"labels": labels}).values()), features)


def test_a_radius_without_neighbours_is_refused():
    with pytest.raises(ValueError, match="radius must be greater than 1, got 1"):
        PixelPairLoss(radius=1.0)
