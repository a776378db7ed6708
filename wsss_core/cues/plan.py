"""From a section of `mine_cues` to the rule it names, its numbers and the images it is meant for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from wsss_core.crf import DenseCRF
from wsss_core.cues.mining import Combination, mine_cam, mine_combined, mine_harmonic
from wsss_core.stage import InputError, bind

Images = Literal["easy", "all"]
Splits = tuple[str, ...] | None


@dataclass(frozen=True)
class Plan:
    """What a section of `mine_cues` asks for.

    Attributes:
        mine: the rule with its numbers: labels (H, W) from saliency (H, W), attention (K, H, W), the K class ids and
            the photo, uint8 (H, W, 3).
        images: all, or only the easy ones.
        splits: those to mine; all where None.
        step: which saliency, counted from 1; the last where None.
        needs_photo: whether the rule looks at the photo; otherwise it may be anything.
    """

    mine: Callable[[NDArray, NDArray, list[int], NDArray], NDArray[np.uint8]]
    images: Images
    splits: Splits
    step: int | None = None
    needs_photo: bool = False


def plan_max(
    *,
    combine: Combination = "max",
    threshold: float = 0.5,
    background: float = 0.05,
    step: int | None = 1,
    images: Images = "easy",
    splits: Splits = None,
) -> Plan:
    mine = partial(mine_combined, how=combine, threshold=threshold, background=background)
    return Plan(lambda s, a, ids, _: mine(s, a, ids), images, splits, step)


def plan_harmonic(
    *,
    combine: Combination = "harmonic",
    threshold: float = 0.4,
    step: int | None = None,
    images: Images = "all",
    splits: Splits = None,
) -> Plan:
    mine = partial(mine_harmonic, how=combine, threshold=threshold)
    return Plan(lambda s, a, ids, _: mine(s, a, ids), images, splits, step)


def plan_cam(
    *,
    low: float = 4.0,
    high: float = 32.0,
    crf: DenseCRF | None = None,
    images: Images = "all",
    splits: Splits = None,
) -> Plan:
    def mine(_: NDArray, attention: NDArray, class_ids: list[int], photo: NDArray) -> NDArray[np.uint8]:
        return mine_cam(attention, class_ids, low=low, high=high, refine=partial(crf, photo) if crf else None)

    return Plan(mine, images, splits, needs_photo=crf is not None)


RULES: dict[str, Callable[..., Plan]] = {"max": plan_max, "harmonic": plan_harmonic, "cam": plan_cam}


def read_plan(chosen: Mapping[str, Any], where: str) -> Plan:
    """The plan of a section, its numbers tried on an image of one pixel before any real image is read."""
    rule = chosen.get("rule")
    if rule not in RULES:
        raise InputError(f"params.yaml: {where}.rule: {rule!r} is not one of {', '.join(RULES)}")
    plan = bind(RULES[rule], {key: value for key, value in chosen.items() if key != "rule"}, where)
    try:
        plan.mine(np.zeros((1, 1)), np.zeros((1, 1, 1)), [1], np.zeros((1, 1, 3), np.uint8))
    except ValueError as error:
        raise InputError(f"params.yaml: {where}: {error}") from None
    return plan
