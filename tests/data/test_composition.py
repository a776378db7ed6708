"""What a batch is made of, and what it cannot be made of."""

import json
from collections import Counter

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from torch.utils.data import default_collate

from wsss_core.data.composition import Composition, compose
from wsss_core.data.dataset import Dataset
from wsss_core.data.mixture import Mixture
from wsss_core.data.sampling import Augment
from wsss_core.stage import InputError
from wsss_core.stores import ArraySpec, Store, StoreWriter

N, MASKED, SIDE = 12, 8, 16
CLASSES = ("background", "cat", "dog")


def write(path, table, name, spec, items) -> Store:
    writer = StoreWriter(path, path.with_suffix(".work"), table=table, arrays={name: spec}, shard_rows=len(table))
    writer.write(0, {name: items})
    writer.finish()
    return Store(path)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Dataset:
    """Twelve photos, cats in even rows and dogs in odd ones; the first eight have a mask, all of the class."""
    path = tmp_path_factory.mktemp("animals")
    ids = [[1 + row % 2] for row in range(N)]
    table = pd.DataFrame(
        {
            "image_id": [f"p{row}" for row in range(N)],
            "split": "train",
            "height": SIDE,
            "width": SIDE,
            "labels": [[CLASSES[i] for i in each] for each in ids],
            "class_ids": ids,
            "n_classes": 1,
            "n_labels": 2,
            "row": range(N),
        }
    )
    photos = [cv2.imencode(".png", np.full((SIDE, SIDE, 3), 10 * row, np.uint8))[1].ravel() for row in range(N)]
    table["n_bytes"] = [len(photo) for photo in photos]
    write(path / "photos", table, "photo", ArraySpec(("byte",), (int(table["n_bytes"].max()),)), photos)
    masks = [np.full((SIDE, SIDE), 1 + row % 2, np.uint8) for row in range(MASKED)]
    masked = table.iloc[:MASKED].drop(columns="n_bytes")
    write(path / "masks", masked, "labels", ArraySpec.labels((SIDE, SIDE)), masks)
    boxes = {"image_id": "p0", "class_id": [1], "label": "cat", "xmin": 0, "ymin": 0, "xmax": 8, "ymax": SIDE}
    pd.DataFrame(boxes | {"difficult": False}).to_parquet(path / "boxes.parquet")
    (path / "dataset.json").write_text(json.dumps({"classes": CLASSES, "mean_colour": [9, 9, 9]}))
    return Dataset(path)


def composed(dataset, composition=None, *, strong=None, in_batch=4, classes=CLASSES, weak_labels=None, boxes=False):
    return compose(
        composition or Composition(),
        dataset,
        strong=strong,
        weak_labels=weak_labels,
        in_batch=in_batch,
        classes=classes,
        augment=Augment(SIDE, 17),
        boxes=boxes,
        seed=0,
        where="train_em.run.images",
    )


def used(parts) -> list[tuple[set[str], int]]:
    return [(set(samples.image_ids), count) for samples, count in parts]


def test_strong_and_weak_halves(dataset):
    (strong, two), (weak, other_two) = used(composed(dataset, strong=3))
    assert len(strong) == 3 and strong <= {f"p{row}" for row in range(MASKED)}
    assert strong | weak == {f"p{row}" for row in range(N)} and not strong & weak
    assert (two, other_two) == (2, 2)


def test_fewer_strong_images_are_among_more(dataset):
    draws = [used(composed(dataset, strong=n))[0][0] for n in (1, 2, 5)]
    assert draws[0] < draws[1] < draws[2]
    assert len(used(composed(dataset, strong=None))[0][0]) == MASKED


def test_one_kind_fills_the_batch(dataset):
    ((weak, four),) = used(composed(dataset, strong=0))
    assert (len(weak), four) == (N, 4)
    ((strong, four),) = used(composed(dataset, Composition(weak=False), strong=5))
    assert (len(strong), four) == (5, 4)


def test_every_batch_has_its_numbers_spread_over_it(dataset):
    parts = composed(dataset, Composition(strong_in_batch=2), strong=3, in_batch=6)
    mixture = Mixture(parts)
    batches = [default_collate([mixture[i] for i in range(begin, begin + 6)]) for begin in (0, 6, 12)]
    for batch in batches:
        assert batch["labelled"].tolist() == [False, True, False, False, True, False]
        assert ((batch["labels"] != 255).any((1, 2)) == batch["labelled"]).all()
        assert (batch["labels"][batch["labelled"]].amin((1, 2)) == batch["tags"][batch["labelled"]].argmax(1) + 1).all()
    seen = Counter(int(row) for batch in batches for row in batch["row"][batch["labelled"]])
    assert set(seen.values()) == {2} and len(seen) == 3  # two epochs of three images


def test_weak_label_maps_leave_out_images_without_one(dataset, tmp_path):
    table = dataset.table[["image_id", "height", "width", "class_ids", "n_labels"]].iloc[6:10]
    maps = [np.zeros((SIDE, SIDE), np.uint8)] * 4
    store = write(tmp_path / "maps", table, "labels", ArraySpec.labels((SIDE, SIDE)), maps)
    ((weak, _),) = used(composed(dataset, strong=0, weak_labels=store))
    assert weak == {"p6", "p7", "p8", "p9"}


def test_classes_of_the_network(dataset):
    network = ("background", "dog", "cow", "cat")
    ((samples, _),) = composed(dataset, Composition(weak=False), strong=None, classes=network, boxes=True)
    for index in range(MASKED):
        sample = samples[index]
        row, inside = int(sample["row"]), sample["valid"]
        name = CLASSES[1 + row % 2]
        assert sample["tags"].tolist() == [name == each for each in network[1:]]
        assert (sample["labels"][inside] == network.index(name)).all()
        assert sample["known"].tolist() == [True, True, False, True]
        assert sample["boxes"].shape == (4, 17, 17)
        boxed = sample["boxes"].float().mean((1, 2))
        assert boxed[:3].sum() == 0 and boxed[3].item() == pytest.approx(8 * 16 / 17**2 if row == 0 else 0)
    assert torch.equal(samples[0]["labels"][~samples[0]["valid"]], torch.full((33,), 255))


@pytest.mark.parametrize(
    ("composition", "strong", "message"),
    [
        ({}, 9, "9 images with masks asked for; 8 to train on have one"),
        ({"strong_in_batch": 4}, 3, "train_em.run.images: 4 of 4 images in a batch with masks"),
        ({"strong_in_batch": 0}, 3, "strong_in_batch must be 1 to 3"),
        ({"in_batch": 1}, 3, "0 of 1 images in a batch with masks"),
        ({"max_labels": 0}, 0, "no image has so few classes; raise train_em.run.images.max_labels, 0"),
        ({"splits": ("test",)}, 0, "no split 'test'"),
    ],
)
def test_a_composition_that_cannot_be_met(dataset, composition, strong, message):
    with pytest.raises(InputError, match=message):
        composed(dataset, Composition(**composition), strong=strong)


def test_a_network_without_a_class_of_the_data_set(dataset):
    with pytest.raises(InputError, match="the network has no class 'dog'; it has background, cat"):
        composed(dataset, classes=("background", "cat"))
