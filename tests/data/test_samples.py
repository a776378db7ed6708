"""The stream of training samples depends on the seed and the index, and on nothing else."""

import gc
import json
import multiprocessing
import tracemalloc
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from torch.utils.data import DataLoader

from wsss_core.data.dataset import Dataset
from wsss_core.data.samples import TrainingSamples, one_thread
from wsss_core.data.sampling import Augment
from wsss_core.stage import InputError
from wsss_core.stores import ArraySpec, Store, StoreWriter

AUGMENT = Augment(30, 33, scale=(0.75, 1.5), mirror=True)
PLAIN = Augment(30, 33)
CLASS_IDS = [[1], [2], [1, 3], [3], [2, 3]]


def images() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "image_id": list("abcde"),
            "split": "train",
            "height": [20, 30, 24, 20, 30],
            "width": [30, 22, 30, 30, 30],
            "class_ids": CLASS_IDS,
            "n_labels": [1 + len(ids) for ids in CLASS_IDS],
            "row": range(5),
        }
    )


def write(path: Path, table: pd.DataFrame, name: str, spec: ArraySpec, items: list[np.ndarray]) -> Store:
    writer = StoreWriter(path, path.with_suffix(".work"), table=table, arrays={name: spec}, shard_rows=len(table))
    writer.write(0, {name: items})
    writer.finish()
    return Store(path)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Dataset:
    """Five photos of one grey each, 10 × (row + 1)."""
    path = tmp_path_factory.mktemp("animals")
    table = images()
    photos = [np.full((h, w, 3), 10 * (i + 1), np.uint8) for i, (h, w) in enumerate(table[["height", "width"]].values)]
    encoded = [cv2.imencode(".png", photo)[1].ravel() for photo in photos]
    table["n_bytes"] = [len(data) for data in encoded]
    write(path / "photos", table, "photo", ArraySpec(("byte",), (max(table["n_bytes"]),)), encoded)
    facts = {"classes": ["background", "cat", "cow", "dog"], "mean_colour": [128, 128, 128]}
    (path / "dataset.json").write_text(json.dumps(facts))
    return Dataset(path)


@pytest.fixture(scope="module")
def labels(tmp_path_factory) -> Store:
    """Label maps of the images a, b, c, all of their first class."""
    table = images().iloc[:3]
    items = [np.full((r.height, r.width), r.class_ids[0], np.uint8) for r in table.itertuples()]
    return write(tmp_path_factory.mktemp("labels") / "store", table, "labels", ArraySpec.labels((30, 30)), items)


@pytest.fixture(scope="module")
def posteriors(tmp_path_factory) -> Store:
    """Planes with stored values 50, 150 (and 100); the first two lines of each are empty."""
    table = images()
    items = []
    for r in table.itertuples():
        planes = np.array([50, 150, 100], np.uint8)[: r.n_labels, None, None].repeat(r.height, 1).repeat(r.width, 2)
        planes[:, :2] = 0
        items.append(planes)
    spec = ArraySpec.soft(("label", "y", "x"), (3, 30, 30))
    return write(tmp_path_factory.mktemp("posteriors") / "store", table, "posterior", spec, items)


def rows(dataset: Dataset) -> pd.DataFrame:
    return dataset.table.rename(columns={"row": "dataset_row"})


def stream(dataset, targets=None, *, augment=PLAIN, seed=0) -> TrainingSamples:
    return TrainingSamples(dataset, targets, rows=rows(dataset), augment=augment, seed=seed)


def find(samples: TrainingSamples, row: int) -> dict[str, torch.Tensor]:
    return next(samples[i] for i in range(5) if samples[i]["row"] == row)


def test_every_epoch_sees_each_image_once_in_a_new_order(dataset):
    samples = stream(dataset)
    orders = [[int(samples[i]["row"]) for i in range(5 * epoch, 5 * epoch + 5)] for epoch in range(6)]
    assert all(sorted(order) == [0, 1, 2, 3, 4] for order in orders)
    assert len({tuple(order) for order in orders}) > 3
    assert [int(stream(dataset, seed=1)[i]["row"]) for i in range(30)] != [row for order in orders for row in order]


def test_a_sample_does_not_depend_on_those_before(dataset, labels):
    samples = stream(dataset, labels, augment=AUGMENT)
    before = [samples[i] for i in range(20)]
    again = stream(dataset, labels, augment=AUGMENT)[17]
    assert all(torch.equal(before[17][key], again[key]) for key in again)
    shapes = {tuple(sample["valid"].sum(0).tolist()) for sample in before}
    assert len(shapes) > 10  # the cuts differ


def test_photo_tags_and_types(dataset):
    sample = find(stream(dataset), 2)
    assert set(sample) == {"image", "tags", "valid", "row"}
    assert sample["image"].dtype == torch.float32 and sample["image"].shape == (3, 33, 33)
    assert sample["tags"].dtype == torch.float32 and sample["tags"].tolist() == [1, 0, 1]
    assert sample["valid"].dtype == torch.bool and sample["valid"].sum() == 24 * 30
    assert sample["row"].dtype == torch.int64 and sample["row"].shape == ()
    assert (sample["image"][:, sample["valid"]] == 30).all()
    assert (sample["image"][:, ~sample["valid"]] == 128).all()


def test_labels_are_ignored_on_padding_and_where_an_image_has_none(dataset, labels):
    samples = stream(dataset, labels)
    cow = find(samples, 1)
    assert cow["labels"].dtype == torch.int64
    assert (cow["labels"][cow["valid"]] == 2).all() and (cow["labels"][~cow["valid"]] == 255).all()
    assert (find(samples, 4)["labels"] == 255).all()


def test_posteriors_stand_at_their_class_ids_and_sum_to_one(dataset, posteriors):
    sample = find(stream(dataset, posteriors), 2)  # class ids 1, 3
    posterior, valid = sample["posterior"], sample["valid"]
    assert posterior.dtype == torch.float32 and posterior.shape == (4, 33, 33)
    stored = posterior.sum(0) > 0
    assert stored.sum() == 22 * 30  # without the two empty lines
    assert (stored <= valid).all()
    expected = torch.tensor([50, 150, 0, 100]) / 300
    assert torch.allclose(posterior[:, stored], expected[:, None], atol=1e-6)


def write_superpixels(path: Path, table: pd.DataFrame) -> Store:
    """Each pixel its own region: number = pixel's place, so that a cut tells where it is from."""
    items = [np.arange(r.height * r.width, dtype=np.uint16).reshape(r.height, r.width) for r in table.itertuples()]
    return write(path, table, "superpixels", ArraySpec(("y", "x"), (30, 30), "uint16", 65535), items)


def test_superpixels_are_cut_with_the_photo(dataset, labels, tmp_path):
    numbers = write_superpixels(tmp_path / "superpixels", images())
    samples = TrainingSamples(dataset, labels, rows=rows(dataset), augment=Augment(30, 33), seed=0, superpixels=numbers)
    sample = find(samples, 0)  # 20 × 30 pixels at scale 1: every one of them once, in order
    assert sample["superpixels"].dtype == torch.int64
    assert sample["superpixels"][sample["valid"]].tolist() == list(range(600))
    assert (sample["superpixels"][~sample["valid"]] == -1).all()
    part = TrainingSamples(dataset, labels, rows=rows(dataset), augment=Augment(30, 9), seed=0, superpixels=numbers)
    assert sorted(find(part, 0)["superpixels"].unique().tolist()) == list(range(81))  # numbered anew in the square


def test_superpixels_of_other_photos_are_refused(dataset, labels, tmp_path):
    def asked(numbers):
        TrainingSamples(dataset, labels, rows=rows(dataset), augment=PLAIN, seed=0, superpixels=numbers)

    with pytest.raises(InputError, match="image 'd': superpixels missing, the photo has 20 × 30"):
        asked(write_superpixels(tmp_path / "few", images().iloc[:3]))
    other = images()
    other.loc[1, "height"] = 29
    with pytest.raises(InputError, match="image 'b': superpixels of 29 × 22 pixels, the photo has 30 × 22"):
        asked(write_superpixels(tmp_path / "other", other))


def test_worker_processes_cut_the_same_samples(dataset, posteriors):
    samples = stream(dataset, posteriors, augment=AUGMENT)
    alone = [samples[i] for i in range(8)]  # leaves the stores open in this process
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["wsss_core.data.samples"])
    loader = DataLoader(
        samples,
        batch_sampler=[[0, 1], [2, 3], [4, 5], [6, 7]],
        num_workers=2,
        multiprocessing_context=context,
        worker_init_fn=one_thread,
    )
    for number, batch in enumerate(loader):
        for key, value in batch.items():
            assert torch.equal(value, torch.stack([alone[2 * number][key], alone[2 * number + 1][key]]))


def test_memory_does_not_grow_with_the_stream(dataset, labels):
    samples = stream(dataset, labels, augment=AUGMENT)
    tracemalloc.start()
    sizes = []
    for begin in (0, 60, 120):
        for i in range(begin, begin + 60):
            samples[i]
        gc.collect()
        sizes.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert sizes[2] - sizes[1] < 60 * 2_000  # keeping the samples would be 60 × 13 kB


def test_targets_that_cannot_be_trained_on_are_refused(dataset, labels, tmp_path):
    with pytest.raises(InputError, match="no image to train on"):
        TrainingSamples(dataset, labels, rows=rows(dataset).iloc[:0], augment=PLAIN, seed=0)
    with pytest.raises(InputError, match="holds none of the 2 images"):
        TrainingSamples(dataset, labels, rows=rows(dataset).iloc[3:], augment=PLAIN, seed=0)
    saliency = write(
        tmp_path / "s",
        images().iloc[:1],
        "saliency",
        ArraySpec.soft(("y", "x"), (20, 30)),
        [np.zeros((20, 30), np.uint8)],
    )
    with pytest.raises(InputError, match="found saliency"):
        stream(dataset, saliency)
