"""Which images are easy: one centred, uncluttered object on which saliency and attention agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

SALIENT = 0.5
SPECK = 0.01


@dataclass(frozen=True, kw_only=True)
class EasyRule:
    """Bounds that an easy image keeps (Hou et al. 2016, §5.1, which names only size, saliency and attention).

    Attributes:
        max_labels: classes the image shows.
        min_side: shorter side in pixels.
        min_area, max_area: salient share of the image.
        max_offset: distance of the salient region's centroid from the image's centre, as a share of half the diagonal.
        min_agreement: intersection over union of the salient and the attended region.
        max_components: separate salient pieces.
    """

    max_labels: int = 1
    min_side: int = 200
    min_area: float = 0.05
    max_area: float = 0.7
    max_offset: float = 0.4
    min_agreement: float = 0.2
    max_components: int = 3

    def __post_init__(self) -> None:
        if not 0 <= self.min_area <= self.max_area <= 1:
            raise ValueError(f"expected 0 <= min_area <= max_area <= 1, got {self.min_area:g} and {self.max_area:g}")


def easy_figures(saliency: NDArray[np.floating], attention: NDArray[np.floating]) -> dict[str, float]:
    """What an `EasyRule` judges.

    Args:
        saliency: S_1, scores in [0, 1], shape (H, W); salient is what exceeds 0.5.
        attention: of the present classes, scores in [0, 1], shape (K, H, W); attended is what exceeds 0.5 in any.

    Returns:
        n_classes: K.
        short_side: pixels.
        area: salient share in [0, 1].
        offset: of the salient centroid, in [0, 1]; 1 where nothing is salient.
        agreement: intersection over union in [0, 1]; 0 where nothing is salient or attended.
        components: 8-connected salient pieces larger than 1 % of the image.

    Raises:
        ValueError: shapes do not fit.
    """
    if saliency.ndim != 2 or attention.ndim != 3 or attention.shape[1:] != saliency.shape:
        raise ValueError(
            f"expected saliency (H, W) and attention (K, H, W), got {saliency.shape} and {attention.shape}"
        )
    height, width = saliency.shape
    salient, attended = saliency > SALIENT, (attention > SALIENT).any(axis=0)
    union = int((salient | attended).sum())
    _, _, stats, centroids = cv2.connectedComponentsWithStats(salient.astype(np.uint8))
    areas = stats[1:, cv2.CC_STAT_AREA]
    offset = 1.0
    if len(areas):
        x, y = np.average(centroids[1:], axis=0, weights=areas)
        offset = float(np.hypot(x - (width - 1) / 2, y - (height - 1) / 2) / (np.hypot(width, height) / 2))
    return {
        "n_classes": len(attention),
        "short_side": min(height, width),
        "area": float(salient.mean()),
        "offset": offset,
        "agreement": int((salient & attended).sum()) / union if union else 0.0,
        "components": int((areas > SPECK * height * width).sum()),
    }


def reason(figures: Mapping[str, float], rule: EasyRule) -> str:
    """Why an image is not easy: the first bound it breaks, as in `salient area 0.82 > max_area 0.7`; "" if easy."""
    bounds = (
        ("labels", figures["n_classes"], ">", "max_labels"),
        ("short side", figures["short_side"], "<", "min_side"),
        ("salient area", figures["area"], "<", "min_area"),
        ("salient area", figures["area"], ">", "max_area"),
        ("centroid offset", figures["offset"], ">", "max_offset"),
        ("agreement", figures["agreement"], "<", "min_agreement"),
        ("components", figures["components"], ">", "max_components"),
    )
    for name, value, sign, key in bounds:
        bound = getattr(rule, key)
        if value < bound if sign == "<" else value > bound:
            return f"{name} {value:.4g} {sign} {key} {bound:.4g}"
    return ""


def rejections(reasons: Iterable[str]) -> dict[str, int]:
    """How many images each key of the rule turned away, the strictest key first."""
    return dict(Counter(text.split()[-2] for text in reasons if text).most_common())
