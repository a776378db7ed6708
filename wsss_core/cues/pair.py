"""Saliency and attention of the same image, from their two artifacts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wsss_core.stage import InputError
from wsss_core.stores import Store


def paired_images(saliency: Store, attention: Store, splits: Sequence[str] | None = None) -> pd.DataFrame:
    """The attention's table, without its statistics, of the images that both artifacts hold, in its order.

    Args:
        saliency, attention: artifacts with the columns of a cue table.
        splits: those to keep; all where None.

    Raises:
        InputError: a split that is not there, or no image in common.
    """
    columns = ["image_id", "dataset_row", "split", "height", "width", "labels", "class_ids", "n_classes", "n_labels"]
    table = attention.table[columns]
    table = table[table["image_id"].isin(saliency.table["image_id"])]
    if table.empty:
        raise InputError(f"{saliency.path} and {attention.path} hold no image in common; give both the same splits")
    known = list(table["split"].unique())
    for split in splits or ():
        if split not in known:
            raise InputError(
                f"{attention.path}: no split {split!r} shared with {saliency.path}; known: {', '.join(known)}"
            )
    if splits is not None:
        table = table[table["split"].isin(list(splits))]
    return table.reset_index(drop=True)


def read_pair(
    saliency: Store, attention: Store, image_id: str, *, step: int
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """One image's maps, float32 in [0, 1]: S_step (H, W), counted from 1, and the present classes' attention (K, H, W).

    Raises:
        ValueError: the two were made from photos of different sizes.
    """
    s = saliency.read("saliency", saliency.row_of(image_id))[step - 1]
    a = read_attention(attention, image_id)
    if a.shape[1:] != s.shape:
        raise ValueError(
            f"{image_id}: {attention.path} has it {a.shape[1:]}, {saliency.path} {s.shape}; rerun both stages"
        )
    return s / np.float32(255), a


def read_attention(attention: Store, image_id: str) -> NDArray[np.floating]:
    """One image's attention, a map per present class, float32 in [0, 1], (K, H, W)."""
    return attention.read("attention", attention.row_of(image_id)) / np.float32(255)
