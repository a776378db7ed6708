"""An interrupted map stage continues with the next shard and ends with the same bytes."""

import filecmp
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import wsss_core
from wsss_core.stores import ArraySpec, StoreError, fingerprint, open_store, write_store

TABLE = pd.DataFrame({"image_id": list("abcdefg"), "height": [3] * 7, "width": [4] * 7})
SPECS = {"labels": ArraySpec.labels((3, 4))}


def compute(rows: pd.DataFrame, stop_at: int | None = None, calls: list[int] | None = None):
    if stop_at is not None and stop_at in rows.index:
        raise KeyboardInterrupt
    if calls is not None:
        calls.append(rows.index[0])
    return {"labels": [np.full((3, 4), i, np.uint8) for i in rows.index]}, [{"value": int(i)} for i in rows.index]


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write(path: str, key: str = "k", **options) -> pd.DataFrame:
    workers = options.pop("workers", 1)
    return write_store(
        Path(path), partial(compute, **options), table=TABLE, arrays=SPECS, key=key, shard_rows=2, workers=workers
    )


def same(a: str, b: str) -> bool:
    names = [str(p.relative_to(a)) for p in Path(a).rglob("*") if p.is_file()]
    return filecmp.cmpfiles(a, b, names, shallow=False)[1:] == ([], [])


def test_continues_after_an_interruption():
    with pytest.raises(KeyboardInterrupt):
        write("data/cue", stop_at=4)
    assert not Path("data/cue").exists()
    calls: list[int] = []
    index = write("data/cue", calls=calls)
    assert calls == [4, 6]  # the first two shards were kept
    assert index["value"].tolist() == [*range(7)]
    write("data/straight")
    assert same("data/cue", "data/straight")


def test_other_inputs_do_not_continue_old_work():
    with pytest.raises(KeyboardInterrupt):
        write("data/cue", key="old", stop_at=4)
    calls: list[int] = []
    write("data/cue", key="new", calls=calls)
    assert calls == [0, 2, 4, 6]
    assert list(Path("data/.work").glob("data.cue-*")) == []


def test_several_processes_give_the_same_bytes():
    write("data/one")
    write("data/two", workers=2)
    assert same("data/one", "data/two")


def test_open_by_name_from_a_folder_below_the_project(monkeypatch):
    Path("dvc.yaml").touch()
    write("data/cues/max")
    Path("notebooks").mkdir()
    monkeypatch.chdir("notebooks")
    assert len(wsss_core.open("cues/max")) == 7
    with pytest.raises(StoreError, match="cues/min: no such artifact.*there are: cues/max"):
        wsss_core.open("cues/min")


def test_fingerprint_follows_settings_and_inputs():
    write("data/one")
    Path("weights").write_bytes(b"1")
    base = fingerprint({"lr": 1}, Path("data/one"), Path("weights"))
    assert base == fingerprint({"lr": 1}, Path("data/one"), Path("weights"))
    assert base != fingerprint({"lr": 2}, Path("data/one"), Path("weights"))
    Path("weights").write_bytes(b"2")
    assert base != fingerprint({"lr": 1}, Path("data/one"), Path("weights"))
    assert open_store("data/one").meaning["digest"]
