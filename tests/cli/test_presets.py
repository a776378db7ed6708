"""Starting a project: its data, its settings, and what becomes of edits."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from wsss_core.cli.presets import init_project, write_rows
from wsss_core.rows.graph import make_rows
from wsss_core.stage import InputError, load_params

ALL = ["mining", "crf", "em", "dcsp", "affinity", "combined"]


def test_an_older_params_file_gets_the_key_that_stages_depend_on(project):
    init_project("demo")
    params = load_params()
    del params["budget"]["crop"]
    YAML().dump(params, Path("params.yaml"))
    write_rows({})
    assert load_params()["budget"]["crop"] is None


@pytest.mark.parametrize("name", ["laptop", "voc12"])
def test_no_two_sections_share_a_value(project, name):
    Path("photos/JPEGImages").mkdir(parents=True)
    Path("maps").mkdir()
    init_project(name, detector=Path("maps"), root=Path("photos"), options={"methods": ALL, "ablations": True})
    lines = [line.partition("#")[0] for line in Path("params.yaml").read_text().splitlines()]
    assert not [line for line in lines if "&" in line or "*id" in line]


def test_outputs_of_removed_rows_are_deleted(project):
    init_project("demo")
    write_rows({"rounds": 3})
    for path in ("data/segmenters/mining_3", "data/segmenters/mining_2"):
        Path(path).mkdir(parents=True)
    Path("reports/runs").mkdir(parents=True)
    Path("reports/runs/mining_3.json").touch()
    removed = write_rows({"rounds": 2})
    assert sorted(map(str, removed)) == ["data/segmenters/mining_3", "reports/runs/mining_3.json"]
    assert Path("data/segmenters/mining_2").is_dir()


def test_init_points_at_the_users_data_and_keeps_edits(project):
    for folder in ("photos/Annotations", "photos/JPEGImages", "pairs"):
        Path(folder).mkdir(parents=True)
    init_project("laptop", root=Path("photos"), saliency_pairs=Path("pairs"), classes=["cat", "dog"])
    params = load_params()
    assert params["ingest"]["dataset"]["sources"]["main"]["root"] == "photos"
    assert params["ingest"]["dataset"]["sources"]["main"]["tags"] == "xml"
    assert params["ingest"]["dataset"]["classes"] == ["cat", "dog"]
    assert params["ingest"]["dataset"]["sources"]["main"]["splits"] == {"train": "*"}
    assert "easy" not in params["ingest"]["dataset"]["sources"]
    assert make_rows(params)["scenes"] == {}
    Path("params.yaml").write_text(Path("params.yaml").read_text().replace("images_seen: 18000", "images_seen: 7000"))
    with pytest.raises(InputError, match="was edited"):
        init_project("demo")
    init_project("demo", force=True)
    assert load_params()["rows"]["preset"] == "demo"


def test_ready_made_saliency_needs_no_detector(project):
    Path("photos/JPEGImages").mkdir(parents=True)
    Path("maps").mkdir()
    init_project("laptop", root=Path("photos"), detector=Path("maps"))
    rows = make_rows(load_params())
    assert rows["saliency_nets"] == {}
    assert "saliency_pairs" not in rows["datasets"]
    assert rows["wiring"]["detector"] == "maps"
    assert load_params()["saliency"]["thresholds"] == []


@pytest.mark.parametrize(
    ("table", "splits"),
    [
        ("image,label\na.jpg,cat\n", {"train": "*"}),
        ("image, label, split\na.jpg,cat,val\nb.jpg,cat, train \n", {"train": "train", "val": "val"}),
    ],
)
def test_a_folder_with_a_table_brings_its_own_splits(project, table, splits):
    Path("photos").mkdir()
    Path("maps").mkdir()
    Path("photos/labels.csv").write_text(table)
    init_project("laptop", root=Path("photos"), detector=Path("maps"))
    source = load_params()["ingest"]["dataset"]["sources"]["main"]
    assert (source["layout"], source["splits"]) == ("csv", splits)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"preset": "nope"}, "no preset 'nope'; there are demo, tour, laptop, best, voc12"),
        ({"preset": "laptop"}, "needs --root PATH"),
        ({"preset": "laptop", "root": Path("none")}, "--root none: no such file or folder"),
        ({"preset": "laptop", "root": Path()}, "neither labels.csv nor a folder JPEGImages"),
        ({"preset": "demo", "detector": Path()}, "needs --root PATH"),
    ],
)
def test_init_says_what_is_missing(project, arguments, message):
    with pytest.raises(InputError, match=message):
        init_project(**arguments)
    assert not Path("params.yaml").exists()
