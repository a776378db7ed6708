"""Starting a project: its data, its settings, and what becomes of edits."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from wsss_core.cli.main import _names, demo
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
    with pytest.raises(InputError, match="was edited; commit or copy it, then `wsss init demo --force`"):
        init_project("demo")
    init_project("demo", force=True)
    assert load_params()["rows"]["preset"] == "demo"


def edit(old: str, new: str) -> None:
    text = Path("params.yaml").read_text()
    assert old in text
    Path("params.yaml").write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("tags: json", "tags: masks"),
        ("thresholds: [0.7, 0.8]", "thresholds: [0.6]"),
        ("rounds: 2", "rounds: 3"),
        ("# ", "# my note: "),
    ],
)
def test_no_edit_is_lost_without_force(project, old, new):
    init_project("demo")
    init_project("tour")  # nothing was edited
    init_project("demo")
    edit(old, new)
    write_rows({"seeds": 2})  # does not make the edit wsss's own
    with pytest.raises(InputError, match="was edited"):
        init_project("demo")


def test_options_are_no_edits(project):
    init_project("demo")
    write_rows({"methods": ALL, "ablations": True})
    write_rows({"seeds": 2})
    init_project("tour")
    assert load_params()["rows"]["seeds"] == 1


def test_an_own_project_is_not_made_the_demo(project, monkeypatch):
    Path("photos/JPEGImages").mkdir(parents=True)
    Path("maps").mkdir()
    init_project("demo", root=Path("photos"), detector=Path("maps"))
    before = Path("params.yaml").read_bytes()
    for all_ in (False, True):
        with pytest.raises(InputError, match="holds a project of your own"):
            demo(all_)
    assert Path("params.yaml").read_bytes() == before


def test_init_says_what_it_removed(project):
    init_project("demo")
    write_rows({"rounds": 3})
    Path("data/segmenters/mining_3").mkdir(parents=True)
    assert [str(path) for path in init_project("demo")] == ["data/segmenters/mining_3"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"strong": [7]}, "--strong: is for the method em, which is not among --methods"),
        ({"steps": 3}, "--steps: is for the method affinity"),
        ({"methods": []}, "methods: mining is always among them"),
    ],
)
def test_an_option_that_would_do_nothing_is_refused(project, options, message):
    init_project("demo")
    before = Path("params.yaml").read_bytes()
    with pytest.raises(InputError, match=message):
        write_rows(options)
    assert Path("params.yaml").read_bytes() == before
    write_rows({"methods": ALL, "strong": [50], "steps": 3})


@pytest.mark.parametrize("names", ["", "dog,,cat", ","])
def test_an_empty_name_is_refused(names):
    with pytest.raises(InputError, match="a name is empty"):
        _names(names)


@pytest.mark.parametrize(
    ("gone", "options", "message"),
    [
        ("budget", {}, "budget: no such section"),
        ("rows", {"seeds": 2}, "rows: no such section"),
        ("ingest", {"methods": ["mining", "em"]}, "ingest: no such section"),
        ("saliency", {"methods": ["mining", "dcsp"], "ablations": True}, "saliency: no such section"),
        ("train_em.crf_mean", {"methods": ALL, "ablations": True}, "train_em.crf_mean: no such section"),
    ],
)
def test_a_missing_section_is_named(project, gone, options, message):
    init_project("demo", options={"methods": ALL})
    params = load_params()
    stage, _, name = gone.partition(".")
    del (params[stage] if name else params)[name or stage]
    YAML().dump(params, Path("params.yaml"))
    with pytest.raises(InputError, match=message):
        write_rows(options)


def test_a_number_that_is_none_is_named(project):
    init_project("demo")
    edit("rounds: 2", "rounds: two")
    with pytest.raises(InputError, match="rows.rounds: expected a whole number, found 'two'"):
        write_rows({})


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
        ({"preset": "demo", "second": Path()}, "neither labels.csv nor a folder JPEGImages"),
        (
            {"preset": "laptop", "root": Path(), "detector": Path(), "saliency_pairs": Path()},
            "--detector and --saliency-pairs: give one",
        ),
    ],
)
def test_init_says_what_is_missing(project, arguments, message):
    with pytest.raises(InputError, match=message):
        init_project(**arguments)
    assert not Path("params.yaml").exists()
