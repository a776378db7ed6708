"""Artifacts: whole shards, one writer each, the same bytes, nothing half-written under the final name."""

import filecmp
import json
import multiprocessing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from wsss_core.stores import ArraySpec, StoreError, StoreWriter, open_store, padded

SPECS = {"attention": ArraySpec.soft(("class", "y", "x"), (2, 6, 7)), "labels": ArraySpec.labels((6, 7))}


def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "image_id": ["a", "b", "c", "d", "e"],
            "height": [6, 5, 4, 6, 3],
            "width": [7, 6, 7, 2, 7],
            "n_classes": [1, 2, 2, 1, 1],
        }
    )


def computed(rows: pd.DataFrame) -> dict[str, list[np.ndarray]]:
    return {
        "attention": [
            np.full((r.n_classes, r.height, r.width), i + 1, np.uint8)
            for i, r in zip(rows.index, rows.itertuples(), strict=True)
        ],
        "labels": [
            np.full((r.height, r.width), i, np.uint8) for i, r in zip(rows.index, rows.itertuples(), strict=True)
        ],
    }


def writer(path: Path) -> StoreWriter:
    return StoreWriter(path, path.with_name(f"{path.name}.work"), table=table(), arrays=SPECS, shard_rows=2)


def write_all(path: Path) -> None:
    w = writer(path)
    for shard in w.todo():
        w.write(shard, computed(w.rows(shard)), [{"mean": float(i)} for i in w.rows(shard).index])
    w.finish()


def write_one(path: Path, shard: int) -> None:
    w = writer(path)
    w.write(shard, computed(w.rows(shard)), [{"mean": float(i)} for i in w.rows(shard).index])


def files(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def same_bytes(a: Path, b: Path) -> bool:
    return files(a) == files(b) and filecmp.cmpfiles(a, b, files(a), shallow=False)[1:] == ([], [])


def test_two_writes_give_the_same_bytes(tmp_path):
    write_all(tmp_path / "one")
    write_all(tmp_path / "two")
    assert same_bytes(tmp_path / "one", tmp_path / "two")


def test_reads_back_true_sizes_and_pads_with_the_fill_value(tmp_path):
    write_all(tmp_path / "one")
    store = open_store(tmp_path / "one")
    assert store["b"]["attention"].shape == (2, 5, 6)
    assert (store["b"]["attention"] == 2).all()
    padded = store.arrays["labels"][2]
    assert (padded[:4] == 2).all()
    assert (padded[4:] == 255).all()
    assert store.table["mean"].tolist() == [0, 1, 2, 3, 4]
    assert [a.shape for a in store.read_rows("labels", range(1, 4))] == [(5, 6), (4, 7), (6, 2)]
    assert store.arrays["attention"].metadata.dimension_names == ("image", "class", "y", "x")


def test_processes_writing_different_shards_lose_nothing(tmp_path):
    context = multiprocessing.get_context("forkserver")
    processes = [context.Process(target=write_one, args=(tmp_path / "many", shard)) for shard in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    writer(tmp_path / "many").finish()
    write_all(tmp_path / "alone")
    assert same_bytes(tmp_path / "many", tmp_path / "alone")


def test_a_partial_shard_is_refused(tmp_path):
    w = writer(tmp_path / "s")
    arrays = {name: items[:1] for name, items in computed(w.rows(0)).items()}
    with pytest.raises(StoreError, match="1 images given for a shard of 2"):
        w.write(0, arrays)


def test_a_shard_is_written_once(tmp_path):
    write_one(tmp_path / "s", 1)
    with pytest.raises(StoreError, match="shard 1 is already written"):
        write_one(tmp_path / "s", 1)


def test_a_shard_under_another_writers_lock_is_refused(tmp_path):
    import fcntl

    w = writer(tmp_path / "s")
    with open(w.work / "shards" / "000000.lock", "w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(StoreError, match="being written by another process"):
            write_one(tmp_path / "s", 0)


def test_wrong_size_or_type_names_the_image(tmp_path):
    w = writer(tmp_path / "s")
    arrays = computed(w.rows(0))
    arrays["labels"][1] = arrays["labels"][1].astype(np.int64)
    with pytest.raises(StoreError, match=r"labels of image 'b' is int64 \(5, 6\), expected uint8 \(5, 6\)"):
        w.write(0, arrays)


def test_an_unfinished_store_is_not_visible(tmp_path):
    write_one(tmp_path / "s", 0)
    with pytest.raises(StoreError, match=r"shards \[1, 2\] are not written"):
        writer(tmp_path / "s").finish()
    with pytest.raises(StoreError, match="no such artifact|no finished artifact"):
        open_store(tmp_path / "s")


def test_a_damaged_or_foreign_store_is_refused(tmp_path):
    write_all(tmp_path / "s")
    meaning = json.loads((tmp_path / "s/store.json").read_text())
    (tmp_path / "s/store.json").write_text(json.dumps({**meaning, "format": 99}))
    with pytest.raises(StoreError, match="format 99"):
        open_store(tmp_path / "s")
    (tmp_path / "s/store.json").write_text("{")
    with pytest.raises(StoreError, match="damaged"):
        open_store(tmp_path / "s")


def test_the_digest_follows_the_bytes(tmp_path):
    write_all(tmp_path / "one")
    w = writer(tmp_path / "two")
    for shard in w.todo():
        arrays = computed(w.rows(shard))
        arrays["labels"][0][0, 0] = 7
        w.write(shard, arrays, [{"mean": float(i)} for i in w.rows(shard).index])
    w.finish()
    assert open_store(tmp_path / "one").meaning["digest"] != open_store(tmp_path / "two").meaning["digest"]


def test_opens_as_xarray(tmp_path):
    pytest.importorskip("xarray")
    write_all(tmp_path / "one")
    dataset = open_store(tmp_path / "one").to_xarray()
    assert dict(dataset.sizes) == {"image": 5, "class": 2, "y": 6, "x": 7}
    assert dataset["labels"].sel(image="d").values[0, 0] == 3


def test_duplicate_ids_and_empty_tables_are_refused(tmp_path):
    twice = pd.concat([table(), table()])
    with pytest.raises(StoreError, match="image_id 'a' stands twice"):
        StoreWriter(tmp_path / "s", tmp_path / "w", table=twice, arrays=SPECS, shard_rows=2)
    with pytest.raises(StoreError, match="no image"):
        StoreWriter(tmp_path / "s", tmp_path / "w", table=table().iloc[:0], arrays=SPECS, shard_rows=2)


def test_an_array_is_as_long_as_its_longest_image():
    table = pd.DataFrame({"height": [3, 5], "width": [7, 2], "n_classes": [2, 1]})
    assert padded(table, "class", "y", "x") == (2, 5, 7)
    with pytest.raises(StoreError, match="no image is left to store; check the section's `splits`"):
        padded(table.iloc[:0], "y", "x")
