"""The three stages on small artifacts: what they write, and what they say when something is wrong."""

import json
import logging
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from stages import mine_cues, select_easy, superpixels
from wsss_core.crf import DenseCRF
from wsss_core.cues.easy import EasyRule, easy_figures, reason
from wsss_core.cues.mining import mine_cam, mine_combined, mine_harmonic
from wsss_core.cues.superpixels import superpixels as superpixels_of
from wsss_core.data.dataset import Dataset
from wsss_core.ingest import ingest
from wsss_core.stage import InputError
from wsss_core.stores import ArraySpec, open_store, write_store

SALIENCY, ATTENTION, EASY = Path("data/saliency"), Path("data/attention"), Path("data/select_easy")
SMALL = "select_easy: {min_side: 10}\n"
CUES = """
mine_cues:
  max: {rule: max}
  harmonic: {rule: harmonic}
  first: {rule: harmonic, step: 1, splits: [val]}
  cam: {rule: cam, crf: {bilateral_xy: 5}}
  fourth: {rule: harmonic, step: 4}
"""


@pytest.fixture
def maps(tmp_path, monkeypatch):
    """Forty images; even ones hold a centred box that saliency and attention agree on, odd ones random saliency."""
    monkeypatch.chdir(tmp_path)
    rng, n = np.random.default_rng(0), 40
    ids = [[1] if k % 4 else [1, 3] for k in range(n)]
    table = pd.DataFrame(
        {
            "image_id": [f"i{k:02}" for k in range(n)],
            "dataset_row": range(n),
            "split": ["val" if k % 10 > 7 else "train" for k in range(n)],
            "height": [20 + k % 3 for k in range(n)],
            "width": [30 - k % 5 for k in range(n)],
            "labels": [["cat", "dog"][: len(i)] for i in ids],
            "class_ids": ids,
            "n_classes": [len(i) for i in ids],
            "n_labels": [len(i) + 1 for i in ids],
        }
    )
    saliency, attention = [], []
    for k, (height, width) in enumerate(zip(table["height"], table["width"], strict=True)):
        steps = rng.integers(0, 256, (3, height, width), dtype=np.uint8)
        if k % 2 == 0:
            steps[0] = 0
            steps[0, 6:14, 8:20] = 230
        saliency.append(np.maximum.accumulate(steps))
        volume = rng.integers(0, 100, (len(ids[k]), height, width), dtype=np.uint8)
        volume[:, 6:14, 8:20] = 220
        attention.append(volume)

    def store(path, name, items, spec):
        write_store(
            path,
            lambda rows: ({name: [items[row] for row in rows["dataset_row"]]}, [{"figure": 1}] * len(rows)),
            table=table,
            arrays={name: spec},
            key="k",
            attributes={"classes": ["background", "cat", "cow", "dog"]},
        )

    store(SALIENCY, "saliency", saliency, ArraySpec.soft(("step", "y", "x"), (3, 22, 30)))
    store(ATTENTION, "attention", attention, ArraySpec.soft(("class", "y", "x"), (2, 22, 30)))
    return table, [s / np.float32(255) for s in saliency], [a / np.float32(255) for a in attention]


def select(params=SMALL):
    Path("params.yaml").write_text(params + CUES)
    select_easy.main(saliency=SALIENCY, attention=ATTENTION, out=EASY)
    return pd.read_parquet(EASY / "index.parquet"), json.loads((EASY / "metrics.json").read_text())


def mine(settings):
    out = Path("data/cues") / settings
    mine_cues.main(
        settings=settings, dataset=Path("data/dataset"), saliency=SALIENCY, attention=ATTENTION, easy=EASY, out=out
    )
    return open_store(out)


def test_select_easy_writes_figures_reasons_and_counts(maps, caplog):
    caplog.set_level(logging.INFO)
    table, saliency, attention = maps
    index, metrics = select()
    for row, (s, a) in enumerate(zip(saliency, attention, strict=True)):
        figures = easy_figures(s[0], a)
        why = reason(figures, EasyRule(min_side=10))
        assert index.loc[row, list(figures)].to_dict() == pytest.approx(figures)
        assert (index["reason"][row], index["easy"][row]) == (why, why == "")
    # Single-label images with the box: every fourth from the third on.
    assert list(index["image_id"][index["easy"]]) == [f"i{k:02}" for k in range(2, 40, 4)]
    assert list(index["split"]) == list(table["split"])
    assert metrics["images"] == 40 and metrics["easy"] == 10
    assert metrics["per_class"] == {"cat": 10, "cow": 0, "dog": 0}
    assert sum(metrics["rejected"].values()) == 30 and metrics["rejected"]["max_labels"] == 10
    assert "10 of 40 images are easy" in caplog.text and "no easy image shows cow, dog;" in caplog.text


def test_select_easy_judges_the_asked_splits_only(maps):
    index, metrics = select("select_easy: {min_side: 10, splits: [val]}\n")
    assert set(index["split"]) == {"val"} and len(index) == metrics["images"] == 8


def test_select_easy_names_a_wrong_key(maps):
    with pytest.raises(InputError, match=r"select_easy.min_sides: unknown key; did you mean min_side"):
        select("select_easy: {min_sides: 10}\n")
    assert not EASY.exists()


def test_mined_easy_images_follow_the_rule(maps):
    table, saliency, attention = maps
    select()
    cues = mine("max")
    assert list(cues.table["dataset_row"]) == list(range(2, 40, 4))
    assert set(table.columns) | {"labelled", "background", "foreground"} == set(cues.table.columns)
    for row, k in enumerate(cues.table["dataset_row"]):
        expected = mine_combined(saliency[k][0], attention[k], table["class_ids"][k])
        labels = cues.read("labels", row)
        assert (labels == expected).all() and labels.dtype == np.uint8
        assert cues.table["labelled"][row] == (expected != 255).mean()
        assert cues.table["foreground"][row] == (expected == 1).mean()
    assert cues.meaning["classes"] == ["background", "cat", "cow", "dog"]


def test_seeds_are_refined_on_their_own_photo(maps, monkeypatch):
    table, _, attention = maps
    sizes = zip(table["height"], table["width"], strict=True)
    photos = [np.random.default_rng(k).integers(0, 256, (*size, 3), np.uint8) for k, size in enumerate(sizes)]
    Path("data/dataset/photos").mkdir(parents=True)
    monkeypatch.setattr(Dataset, "__init__", lambda self, path: None)
    monkeypatch.setattr(Dataset, "photos", lambda self, rows: [photos[row] for row in rows])
    select()
    cues = mine("cam")
    for row in (0, 1, 39):
        refine = partial(DenseCRF(bilateral_xy=5), photos[row])
        assert (cues.read("labels", row) == mine_cam(attention[row], table["class_ids"][row], refine=refine)).all()


def test_the_harmonic_rule_takes_the_last_step_of_all_images_unless_told_otherwise(maps):
    table, saliency, attention = maps
    select()
    every, first = mine("harmonic"), mine("first")
    assert list(every.table["image_id"]) == list(table["image_id"])
    assert list(first.table["image_id"]) == list(table["image_id"][table["split"] == "val"])
    for cues, step in [(every, 2), (first, 0)]:
        for row, k in enumerate(cues.table["dataset_row"]):
            expected = mine_harmonic(saliency[k][step], attention[k], table["class_ids"][k])
            assert (cues.read("labels", row) == expected).all()
            assert set(np.unique(expected)) <= {0, *table["class_ids"][k]}


def test_a_step_that_was_not_made_is_named(maps):
    select()
    with pytest.raises(InputError, match="mine_cues.fourth.step: 4, but data/saliency has steps 1 to 3"):
        mine("fourth")


def test_no_easy_image_names_what_to_relax(maps):
    select("select_easy: {min_side: 100, max_labels: 1}\n")
    message = (
        r"data/select_easy: none of 40 images is easy; relax .* select_easy: min_side \(30 images\), max_labels \(10"
    )
    with pytest.raises(InputError, match=message):
        mine("max")
    assert not Path("data/cues/max").exists()


def test_superpixels_of_every_image_whatever_the_number_of_workers(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng, photos, rows = np.random.default_rng(0), tmp_path / "photos", ["image,label,split"]
    photos.mkdir()
    for k in range(34):
        Image.fromarray(rng.integers(0, 256, (12, 14 + k % 3, 3), dtype=np.uint8)).save(photos / f"{k:02}.png")
        rows.append(f"{k:02}.png,cat,{'val' if k % 5 == 0 else 'train'}")
    (photos / "labels.csv").write_text("\n".join(rows) + "\n")
    source = {"root": str(photos), "layout": "csv", "splits": {"train": "train", "val": "val"}}
    ingest(Path("data/dataset"), sources={"mine": source}, workers=1)
    stores = []
    for workers in (1, 2):
        Path("params.yaml").write_text(f"superpixels: {{scale: 50, sigma: 0.5, min_size: 3, workers: {workers}}}\n")
        superpixels.main(dataset=Path("data/dataset"), out=Path(f"data/superpixels_{workers}"))
        stores.append(open_store(f"superpixels_{workers}"))
    dataset = Dataset(Path("data/dataset"))
    for row in (0, 33):
        expected = superpixels_of(dataset.photo(row), scale=50, sigma=0.5, min_size=3)
        assert (stores[0].read("superpixels", row) == expected).all()
        assert stores[0].table["n_regions"][row] == expected.max() + 1 > 1
    assert stores[0].meaning["digest"] == stores[1].meaning["digest"] and len(stores[0]) == 34
    assert list(stores[0].table["image_id"]) == list(dataset.table["image_id"])
