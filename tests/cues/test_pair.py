from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from wsss_core.cues.pair import paired_images, read_pair
from wsss_core.stage import InputError
from wsss_core.stores import ArraySpec, open_store, write_store

ROWS = pd.DataFrame(
    {
        "image_id": ["a", "b", "c", "d"],
        "dataset_row": [0, 1, 2, 3],
        "split": ["train", "train", "val", "easy"],
        "height": [4, 3, 2, 4],
        "width": [5, 5, 4, 3],
        "labels": [["cat"], ["cat", "dog"], ["dog"], ["cat"]],
        "class_ids": [[1], [1, 2], [2], [1]],
        "n_classes": [1, 2, 1, 1],
        "n_labels": [2, 3, 2, 2],
    }
)


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def saliency_of(table, path="s"):
    def compute(rows):
        maps = [np.stack([np.full(size, 51 * k, np.uint8) for k in (1, 2, 5)]) for size in sizes(rows)]
        return {"saliency": maps}, [{"area": 0.5}] * len(rows)

    spec = ArraySpec.soft(("step", "y", "x"), (3, 4, 5))
    write_store(Path(path), compute, table=table, arrays={"saliency": spec}, key="k", shard_rows=2)
    return open_store(path)


def attention_of(table, path="a"):
    def compute(rows):
        maps = [np.full((n, *size), 102, np.uint8) for n, size in zip(rows["n_classes"], sizes(rows), strict=True)]
        return {"attention": maps}, [{"mean": 0.5}] * len(rows)

    spec = ArraySpec.soft(("class", "y", "x"), (2, 4, 5))
    write_store(Path(path), compute, table=table, arrays={"attention": spec}, key="k", shard_rows=2)
    return open_store(path)


def sizes(rows):
    return list(zip(rows["height"], rows["width"], strict=True))


def test_images_of_both_in_the_order_of_the_attention_without_its_statistics():
    saliency, attention = saliency_of(ROWS.iloc[[3, 1, 0]]), attention_of(ROWS.iloc[[0, 2, 1, 3]])
    paired = paired_images(saliency, attention)
    assert list(paired["image_id"]) == ["a", "b", "d"] and list(paired.index) == [0, 1, 2]
    assert list(paired.columns) == list(ROWS.columns)
    assert list(paired_images(saliency, attention, ["easy"])["image_id"]) == ["d"]


def test_maps_come_at_their_size_and_range_from_different_rows():
    saliency, attention = saliency_of(ROWS.iloc[[3, 1, 0]]), attention_of(ROWS)
    for step, value in [(1, 0.2), (2, 0.4), (3, 1.0)]:
        s, a = read_pair(saliency, attention, "a", step=step)
        assert s.shape == (4, 5) and a.shape == (1, 4, 5) and s.dtype == a.dtype == np.float32
        assert (s == np.float32(value)).all() and (a == np.float32(0.4)).all()


def test_nothing_in_common_and_unknown_splits_are_named():
    saliency, attention = saliency_of(ROWS.iloc[:2]), attention_of(ROWS.iloc[2:])
    with pytest.raises(InputError, match="s and a hold no image in common"):
        paired_images(saliency, attention)
    with pytest.raises(InputError, match=r"no split 'trian' shared with s; known: train"):
        paired_images(saliency, attention_of(ROWS, "b"), ["trian"])


def test_photos_that_changed_size_between_the_stages_are_named():
    changed = ROWS.assign(height=[4, 4, 2, 4])
    with pytest.raises(ValueError, match=r"b: a has it \(4, 5\), s \(3, 5\)"):
        read_pair(saliency_of(ROWS), attention_of(changed), "b", step=1)
