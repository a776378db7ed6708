"""Which images the page shows: few, the same at every run, and every class among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np


def choose_images(class_ids: Mapping[str, Sequence[int]], count: int, *, seed: int) -> list[str]:
    """Draw images at random, each the next one that shows a class shown least so far.

    Args:
        class_ids: the present classes of each image that may be drawn.
        count: how many to draw; all are taken where there are fewer.
        seed: of the order in which images are considered.

    Returns:
        Image ids in the order drawn.
    """
    names = sorted(class_ids)
    order = [names[i] for i in np.random.default_rng(seed).permutation(len(names))]
    shown = dict.fromkeys(sorted({int(c) for ids in class_ids.values() for c in ids}), 0)
    chosen: list[str] = []
    while order and len(chosen) < count:
        # min keeps the first of equals, so the drawn order decides between images that serve the same need
        image_id = min(order, key=lambda name: min((shown[int(c)] for c in class_ids[name]), default=count))
        order.remove(image_id)
        chosen.append(image_id)
        for class_id in class_ids[image_id]:
            shown[int(class_id)] += 1
    return chosen
