"""What a batch is made of, and what it cannot be made of."""

import json
import shutil
from collections import Counter

import cv2
import numpy as np
import pandas as pd
import pytest
from torch.utils.data import default_collate

from wsss_core.data.composition import Composition, Source, compose, joined_classes
from wsss_core.data.dataset import Dataset
from wsss_core.data.mixture import Mixture
from wsss_core.data.sampling import Augment
from wsss_core.stage import InputError
from wsss_core.stores import ArraySpec, Store, StoreWriter

N, TRAINABLE, MASKED, SIDE = 12, 11, 8, 16  # the last image is of val
CLASSES = ("background", "cat", "dog")


def write(path, table, name, spec, items) -> Store:
    writer = StoreWriter(path, path.with_suffix(".work"), table=table, arrays={name: spec}, shard_rows=len(table))
    writer.write(0, {name: items})
    writer.finish()
    return Store(path)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Dataset:
    """Twelve photos, cats in even rows and dogs in odd ones; eight have a mask, all of the class, the first a box."""
    path = tmp_path_factory.mktemp("animals")
    ids = [[1 + row % 2] for row in range(N)]
    table = pd.DataFrame(
        {
            "image_id": [f"p{row}" for row in range(N)],
            "split": ["train"] * 10 + ["easy", "val"],
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


def composed(dataset, composition=None, *, strong=None, batch=4, weak_labels=None, boxes=False, second=None):
    sources = [Source(dataset, composition or Composition(), strong, "train_em.run.images", weak_labels)]
    if second is not None:
        sources.append(Source(dataset=second[0], composition=second[1], strong=second[2], where="train_em.run.second"))
    return compose(sources, batch=batch, augment=Augment(SIDE, 17), boxes=boxes, seed=0)


def used(parts) -> list[tuple[set[str], int]]:
    return [(set(samples.image_ids), count) for samples, count in parts]


def test_strong_and_weak_halves(dataset):
    (strong, two), (weak, other_two) = used(composed(dataset, strong=3))
    assert len(strong) == 3 and strong <= {f"p{row}" for row in range(MASKED)}
    assert strong | weak == {f"p{row}" for row in range(TRAINABLE)} and not strong & weak
    assert (two, other_two) == (2, 2)


def test_fewer_strong_images_are_among_more(dataset):
    draws = [used(composed(dataset, strong=n))[0][0] for n in (1, 2, 5)]
    assert draws[0] < draws[1] < draws[2]
    assert len(used(composed(dataset, strong=None))[0][0]) == MASKED


def test_some_of_the_weak_images(dataset):
    draws = [used(composed(dataset, Composition(weak_images=n), strong=3)) for n in (2, 4)]
    (strong, _), (weak, _) = draws[1]
    assert len(draws[0][1][0]) == 2 and draws[0][1][0] < weak and len(weak) == 4 and not strong & weak
    with pytest.raises(InputError, match=r"run.images.weak_images asks for 99 images without masks; \d+ are left in"):
        composed(dataset, Composition(weak_images=99), strong=3)
    with pytest.raises(ValueError, match="weak_images must be at least 1, got 0"):
        Composition(weak_images=0)


def test_one_kind_fills_the_batch(dataset):
    ((weak, four),) = used(composed(dataset, strong=0))
    assert (len(weak), four) == (TRAINABLE, 4)
    ((strong, four),) = used(composed(dataset, Composition(weak=False), strong=5))
    assert (len(strong), four) == (5, 4)


def test_every_batch_has_its_numbers_spread_over_it(dataset):
    parts = composed(dataset, Composition(strong_in_batch=2), strong=3, batch=6)
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


def test_without_a_box_an_image_has_no_part_where_boxes_are_asked_for(dataset):
    ((weak, four),) = used(composed(dataset, strong=0, boxes=True))
    assert (weak, four) == ({"p0"}, 4)
    with pytest.raises(
        InputError, match="8 images with masks leave no image with a box for train_em.run.images; use few"
    ):
        composed(dataset, strong=8, boxes=True)
    with pytest.raises(InputError, match="no image with a box to train on; check train_em.run.images"):
        composed(dataset, Composition(splits=("easy",)), strong=0, boxes=True)


@pytest.fixture(scope="module")
def other(dataset, tmp_path_factory) -> Dataset:
    """The same photos and masks, where class 1 is cow and class 2 is cat."""
    path = tmp_path_factory.mktemp("others") / "set"
    shutil.copytree(dataset.path, path)
    facts = {"classes": ["background", "cow", "cat"], "mean_colour": [9, 9, 9]}
    (path / "dataset.json").write_text(json.dumps(facts))
    return Dataset(path)


def test_two_data_sets_share_a_batch_and_their_common_classes(dataset, other):
    assert joined_classes([dataset, other]) == ["background", "cat", "dog", "cow"]
    second = (other, Composition(weak=False), None)
    parts = composed(dataset, Composition(weak=False), strong=None, batch=5, boxes=True, second=second)
    assert [count for _, count in parts] == [3, 2]
    for (samples, _), own in zip(parts, (CLASSES, ("background", "cow", "cat")), strict=True):
        for index in range(MASKED):
            sample = samples[index]
            row, inside = int(sample["row"]), sample["valid"]
            name = own[1 + row % 2]
            assert sample["tags"].tolist() == [name == each for each in ("cat", "dog", "cow")]
            assert (sample["labels"][inside] == ("background", "cat", "dog", "cow").index(name)).all()
            assert sample["known"].tolist() == [True, True, "dog" in own, "cow" in own]
            boxed = sample["boxes"].float().mean((1, 2))
            assert boxed.sum().item() == pytest.approx(8 * 16 / 17**2 if row == 0 else 0)
            assert row or boxed.argmax() == ("background", "cat", "dog", "cow").index(name)
    assert "known" not in composed(dataset, strong=0)[0][0][0]


def test_mixed_streams_cut_their_samples_differently(dataset):
    (strong, _), (weak, _) = composed(dataset, strong=4)
    offsets = [[int(samples[i]["valid"].float().argmax()) for i in range(20)] for samples in (strong, weak)]
    assert offsets[0] != offsets[1]


def test_processes_need_both_kinds_of_images(dataset):
    mixture = Mixture(composed(dataset, Composition(strong_in_batch=4), strong=4, batch=6))
    mixture.check_slices(2)
    with pytest.raises(InputError, match="4 of 6 images in a batch have labels, too few or too many for 3 processes"):
        mixture.check_slices(3)
    Mixture(composed(dataset, strong=0, batch=6)).check_slices(3)


@pytest.mark.parametrize(
    ("composition", "strong", "message"),
    [
        ({}, 9, "9 images with masks asked for; 8 to train on have one"),
        ({"strong_in_batch": 4}, 3, "train_em.run.images: 4 of 4 images in a batch with masks"),
        ({"strong_in_batch": 0}, 3, "strong_in_batch must be at least 1 and less than 4"),
        ({"in_batch": 3}, 3, "train_em.run.images: 3 images in a batch of 4; mend in_batch or training.batch"),
        ({"weak": False}, 0, "train_em.run.images: weak is false and no mask is used"),
        ({"max_labels": 0}, 0, "no image has so few classes; raise train_em.run.images.max_labels, 0"),
        ({"splits": ("test",)}, 0, "no split 'test'"),
        ({"splits": ("val",)}, 2, "train_em.run.images.splits: results are reported on val; train on masks of other"),
        ({"splits": ("easy",)}, None, "no image to train on has a mask; `wsss rows --main-only`"),
    ],
)
def test_a_composition_that_cannot_be_met(dataset, composition, strong, message):
    with pytest.raises(InputError, match=message):
        composed(dataset, Composition(**composition), strong=strong)


def test_two_data_sets_that_cannot_share_a_batch(dataset, other, tmp_path):
    whole = (other, Composition(in_batch=4), 0)
    with pytest.raises(
        InputError, match="images and train_em.run.second: 0 \\+ 4 images in a batch of 4; mend in_batch"
    ):
        composed(dataset, strong=0, second=whole)
    with pytest.raises(InputError, match="1 \\+ 0 images in a batch of 1"):
        composed(dataset, strong=0, batch=1, second=(other, Composition(), 0))
    shutil.copytree(dataset.path, tmp_path / "strange")
    (tmp_path / "strange/dataset.json").write_text(
        '{"classes": ["background", "car", "bus"], "mean_colour": [9, 9, 9]}'
    )
    with pytest.raises(InputError, match="strange: no class in common with .*: car, bus and cat, dog"):
        composed(dataset, strong=0, second=(Dataset(tmp_path / "strange"), Composition(), 0))
