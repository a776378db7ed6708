"""Pixel labels mined from an image's saliency and attention."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

BACKGROUND, IGNORE = 0, 255

Combination = Literal["max", "arithmetic", "geometric", "harmonic"]


def combine(attention: NDArray[np.floating], saliency: NDArray[np.floating], how: Combination) -> NDArray[np.floating]:
    """`h(s, a)` of every pixel and class: their maximum or a mean (Hou et al. 2016, §4.3; Chaudhry et al. 2017, §4.2).

    Args:
        attention: scores in [0, 1], shape (K, H, W).
        saliency: scores in [0, 1], shape (H, W).
        how: the harmonic mean of 0 and 0 is 0.

    Returns:
        Scores in [0, 1], shape (K, H, W).

    Raises:
        ValueError: shapes or ranges do not fit, or an unknown `how`.
    """
    _check_scores("attention", attention, 3)
    _check_scores("saliency", saliency, 2)
    if attention.shape[1:] != saliency.shape:
        raise ValueError(f"attention: expected (K, {saliency.shape[0]}, {saliency.shape[1]}), got {attention.shape}")
    if how == "max":
        return np.maximum(attention, saliency)
    if how == "arithmetic":
        return (attention + saliency) / 2
    if how == "geometric":
        return np.sqrt(attention * saliency)
    if how == "harmonic":
        total = attention + saliency
        return np.divide(2 * attention * saliency, total, out=np.zeros_like(total), where=total > 0)
    raise ValueError(f"how: expected max, arithmetic, geometric or harmonic, got {how!r}")


def mine_combined(
    saliency: NDArray[np.floating],
    attention: NDArray[np.floating],
    class_ids: Sequence[int],
    *,
    how: Combination = "max",
    threshold: float = 0.5,
    background: float = 0.05,
) -> NDArray[np.uint8]:
    """Label what is certain, leave the rest open (Hou et al. 2016, Alg. 1).

    A class claims the pixels where `h(s, a) >= threshold`; of several claims the one with the largest attention wins,
    of equal attention the lowest id. Unclaimed pixels with `s < background` are background, all others ignored.
    Without a present class nothing is claimed.

    Args:
        saliency: scores in [0, 1], shape (H, W).
        attention: scores in [0, 1], shape (K, H, W).
        class_ids: the K present classes' ids, 1 to 254.
        how: `h`; the paper takes the maximum.

    Returns:
        Class ids, 0 = background, 255 = ignore, uint8, shape (H, W).

    Raises:
        ValueError: shapes or ranges do not fit.
    """
    _check_threshold("threshold", threshold)
    _check_threshold("background", background)
    claimed = (combine(attention, saliency, how) >= threshold).any(axis=0)
    # h grows with a: where any class claims a pixel, the one with the largest attention does.
    _, claimant = _strongest(attention, class_ids)
    unclaimed = np.where(saliency < background, np.uint8(BACKGROUND), np.uint8(IGNORE))
    return np.where(claimed, claimant, unclaimed)


def mine_harmonic(
    saliency: NDArray[np.floating],
    attention: NDArray[np.floating],
    class_ids: Sequence[int],
    *,
    how: Combination = "harmonic",
    threshold: float = 0.4,
) -> NDArray[np.uint8]:
    """Label every pixel with the class of the largest `h(s, a)` (Chaudhry et al. 2017, Alg. 1).

    Background where no class reaches the threshold, so everywhere without a present class. Of equal classes the
    lowest id wins.

    Args:
        saliency: scores in [0, 1], shape (H, W).
        attention: scores in [0, 1], shape (K, H, W).
        class_ids: the K present classes' ids, 1 to 254.
        how: `h`; the paper takes the harmonic mean.
        threshold: γ.

    Returns:
        Class ids, 0 = background, uint8, shape (H, W).

    Raises:
        ValueError: shapes or ranges do not fit.
    """
    _check_threshold("threshold", threshold)
    best, label = _strongest(combine(attention, saliency, how), class_ids)
    return np.where(best < threshold, np.uint8(BACKGROUND), label)


def mine_cam(
    attention: NDArray[np.floating],
    class_ids: Sequence[int],
    *,
    low: float = 4.0,
    high: float = 32.0,
    refine: Callable[[NDArray[np.float32]], NDArray[np.floating]] | None = None,
) -> NDArray[np.uint8]:
    """Seeds from class activation maps alone (Wang et al. 2019, §3.2.1, after Ahn & Kwak 2018).

    The strongest class has its pixels where it exceeds a generous background score `(1 - max CAM)^low`; background
    has those where even the sparing score `(1 - max CAM)^high` is not exceeded; the rest is ignored. Without a
    present class everything is background.

    Args:
        attention: scores in [0, 1], shape (K, H, W).
        class_ids: the K present classes' ids, 1 to 254.
        low, high: exponents, 0 < low <= high.
        refine: what becomes of the probabilities of background and classes, float32 (K + 1, H, W) that sum to 1, under
            either background score before they are compared, such as a dense CRF on the photo. A pixel that is then
            background under the sparing score is background.

    Returns:
        Class ids, 0 = background, 255 = ignore, uint8, shape (H, W).

    Raises:
        ValueError: shapes, ranges or exponents do not fit.
    """
    _check_scores("attention", attention, 3)
    if not 0 < low <= high:
        raise ValueError(f"low, high: expected 0 < low <= high, got {low:g} and {high:g}")
    best, label = _strongest(attention, class_ids)
    if refine is None or not len(attention):
        certain_background = np.where(best <= (1 - best) ** high, np.uint8(BACKGROUND), np.uint8(IGNORE))
        return np.where(best > (1 - best) ** low, label, certain_background)
    ids = np.asarray([BACKGROUND, *class_ids], np.uint8)
    generous, sparing = (
        ids[refine(_probabilities(attention, (1 - best) ** exponent)).argmax(axis=0)] for exponent in (low, high)
    )
    certain_foreground = np.where(generous == BACKGROUND, np.uint8(IGNORE), generous)
    return np.where(sparing == BACKGROUND, np.uint8(BACKGROUND), certain_foreground)


def label_shares(labels: NDArray[np.uint8]) -> dict[str, float]:
    """Shares of an image's pixels that are labelled at all, background, and foreground; each in [0, 1]."""
    unknown, background = labels == IGNORE, labels == BACKGROUND
    return {
        "labelled": float((~unknown).mean()),
        "background": float(background.mean()),
        "foreground": float((~unknown & ~background).mean()),
    }


def _probabilities(attention: NDArray[np.floating], background: NDArray[np.floating]) -> NDArray[np.float32]:
    """Background and classes (K + 1, H, W) that sum to 1; none is 0, for its logarithm is taken."""
    scores = np.maximum(np.concatenate([background[None], attention]), 1e-6)
    return (scores / scores.sum(axis=0)).astype(np.float32)


def _strongest(
    scores: NDArray[np.floating], class_ids: Sequence[int]
) -> tuple[NDArray[np.floating], NDArray[np.uint8]]:
    """The largest score of every pixel and the id of its class; 0 and background where no class is present."""
    if len(class_ids) != len(scores):
        raise ValueError(f"class_ids: expected {len(scores)}, one per map, got {list(class_ids)}")
    if any(not BACKGROUND < class_id < IGNORE for class_id in class_ids):
        raise ValueError(f"class_ids: expected ids from 1 to 254, got {list(class_ids)}")
    if not len(scores):
        return np.zeros(scores.shape[1:], scores.dtype), np.full(scores.shape[1:], BACKGROUND, np.uint8)
    best = scores.argmax(axis=0)
    return scores.max(axis=0), np.asarray(class_ids, np.uint8)[best]


def _check_scores(name: str, scores: NDArray[np.floating], ndim: int) -> None:
    if scores.ndim != ndim or not np.issubdtype(scores.dtype, np.floating):
        raise ValueError(f"{name}: expected a float array of {ndim} axes, got {scores.dtype} {scores.shape}")
    if scores.size and not (scores.min() >= 0 and scores.max() <= 1):
        raise ValueError(f"{name}: expected scores in [0, 1], got {scores.min():g} to {scores.max():g}")


def _check_threshold(name: str, value: float) -> None:
    if not 0 <= value <= 1:
        raise ValueError(f"{name}: expected a number in [0, 1], got {value:g}")
