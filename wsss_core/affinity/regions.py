"""Maps and labels summed up over superpixels, without a loop over regions."""

from __future__ import annotations

import torch
from torch import Tensor

IGNORE = 255


def pooling_weights(
    regions: Tensor, grid: tuple[int, int], n_regions: int, *, entered: tuple[int, int] | None = None
) -> Tensor:
    """How much each node of a grid counts in the mean over each region (Wang et al. 2019, §3.2.3: mask pooling).

    `pooling_weights(…) @ features` is the mean over each region's pixels of the features as `upsample` would enlarge
    them, for bilinear interpolation is linear; but nothing is ever enlarged.

    Args:
        regions: int64 (B, H, W), numbers in 0..n_regions − 1, or −1 for pixels of no region.
        grid: height and width of the grid, whose outer nodes lie on the picture's corners.
        n_regions: R.
        entered: height and width of the picture that the grid lies on, if it was resized from that of the regions
            (pixel area on pixel area).

    Returns:
        float32 (B, R, h·w): rows that sum to 1, or 0 for a region without pixels.

    Raises:
        ValueError: regions of another shape or out of range.
    """
    _check(regions, n_regions)
    batch, height, width = regions.shape
    rows, columns = grid
    above, down = _between(height, rows, (entered or (height, width))[0], regions.device)
    left, across = _between(width, columns, (entered or (height, width))[1], regions.device)
    inside = (regions >= 0).float()
    image = torch.arange(batch, device=regions.device)[:, None, None]
    first = (image * n_regions + regions.clamp(min=0)) * (rows * columns)
    weights = torch.zeros(batch * n_regions * rows * columns, device=regions.device)
    for y, share_y in ((above, 1 - down), ((above + 1).clamp(max=rows - 1), down)):
        for x, share_x in ((left, 1 - across), ((left + 1).clamp(max=columns - 1), across)):
            nodes = first + (y[:, None] * columns + x)
            weights.index_add_(0, nodes.flatten(), (inside * (share_y[:, None] * share_x)).flatten())
    weights = weights.view(batch, n_regions, rows * columns)
    return weights / weights.sum(2, keepdim=True).clamp(min=1e-6)


def pool(features: Tensor, regions: Tensor, n_regions: int, *, entered: tuple[int, int] | None = None) -> Tensor:
    """Mean feature of every region: float (B, D, h, w) on a grid and int64 (B, H, W) → (B, R, D)."""
    weights = pooling_weights(regions, (features.shape[2], features.shape[3]), n_regions, entered=entered)
    return weights.to(features.dtype) @ features.flatten(2).transpose(1, 2)


def label_counts(labels: Tensor, regions: Tensor, n_regions: int, n_labels: int) -> Tensor:
    """Pixels of every label in every region: int64 (B, R, n_labels + 1), the last for 255.

    Args:
        labels: int64 (B, H, W) in 0..n_labels − 1 or 255.
        regions: int64 (B, H, W) in 0..n_regions − 1, −1 is counted nowhere.

    Raises:
        ValueError: shapes that differ, regions or labels out of range.
    """
    _check(regions, n_regions)
    if labels.shape != regions.shape:
        raise ValueError(f"labels have shape {tuple(labels.shape)}, regions {tuple(regions.shape)}")
    known = torch.where(labels == IGNORE, 0, labels)
    if known.numel() and not 0 <= int(known.min()) <= int(known.max()) < n_labels:
        raise ValueError(
            f"expected labels in 0..{n_labels - 1} or {IGNORE}, got {int(known.min())} to {int(known.max())}"
        )
    plane = torch.where(labels == IGNORE, n_labels, labels)
    image = torch.arange(len(regions), device=regions.device)[:, None, None]
    places = (image * n_regions + regions) * (n_labels + 1) + plane
    size = len(regions) * n_regions * (n_labels + 1)
    return torch.bincount(places[regions >= 0], minlength=size).view(len(regions), n_regions, n_labels + 1)


def pure_regions(labels: Tensor, regions: Tensor, n_regions: int, n_labels: int, *, purity: float) -> Tensor:
    """The label of every region of which one label has more than `purity` of the pixels, else 255: int64 (B, R).

    Wang et al. 2019, §3.2.3; arguments and errors as for `label_counts`.
    """
    counts = label_counts(labels, regions, n_regions, n_labels)
    most, label = counts[..., :-1].max(2)
    return torch.where(most > purity * counts.sum(2), label, IGNORE)


def confident_regions(posterior: Tensor, *, confidence: float) -> Tensor:
    """The label of every region whose probability exceeds `confidence`, else 255: int64 (R,).

    Args:
        posterior: probabilities, float (R, C), 0 for classes that the image lacks.
        confidence: in [0, 1).
    """
    probability, label = posterior.max(1)
    return torch.where(probability > confidence, label, IGNORE)


def region_means(maps: Tensor, regions: Tensor) -> Tensor:
    """Every map averaged in each region: float (B, D, H, W) → the same shape; 0 where there is no region.

    Args:
        maps: float (B, D, H, W).
        regions: int64 (B, H, W) of any non-negative numbers, −1 for pixels of no region.

    Raises:
        ValueError: sizes differ.
    """
    if maps.shape[2:] != regions.shape[1:] or len(maps) != len(regions):
        raise ValueError(f"maps have shape {tuple(maps.shape)}, regions {tuple(regions.shape)}")
    n_regions = int(regions.max()) + 2 if regions.numel() else 1  # number −1 goes into the first
    batch, channels = maps.shape[:2]
    image = torch.arange(batch, device=maps.device)[:, None, None]
    place = (image * n_regions + regions + 1).flatten()
    values = maps.permute(0, 2, 3, 1).reshape(-1, channels)
    sums = values.new_zeros(batch * n_regions, channels).index_add(0, place, values)
    sizes = torch.bincount(place, minlength=batch * n_regions).clamp(min=1).to(values.dtype)
    means = (sums / sizes[:, None]).view(batch, n_regions, channels)
    inside = torch.cat([torch.zeros_like(means[:, :1]), means[:, 1:]], 1).view(-1, channels)
    return inside[place].view(batch, *maps.shape[2:], channels).permute(0, 3, 1, 2)


def _between(length: int, nodes: int, entered: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """For every pixel of a line the node before it and how far it is towards the next, in [0, 1]."""
    pixel = torch.arange(length, device=device, dtype=torch.float32)
    if entered != length:
        pixel = ((pixel + 0.5) * (entered / length) - 0.5).clamp(0, entered - 1)
    place = pixel * ((nodes - 1) / max(entered - 1, 1))
    before = place.floor().clamp(max=max(nodes - 2, 0))
    return before.long(), place - before


def _check(regions: Tensor, n_regions: int) -> None:
    if regions.ndim != 3:
        raise ValueError(f"expected regions (B, H, W), got {tuple(regions.shape)}")
    if regions.numel() and not -1 <= int(regions.min()) <= int(regions.max()) < n_regions:
        raise ValueError(
            f"expected regions in 0..{n_regions - 1} or -1, got {int(regions.min())} to {int(regions.max())}"
        )
