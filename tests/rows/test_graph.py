"""The rows of a project are made from params.yaml and refuse what does not exist."""

import copy
import hashlib
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from wsss_core.cli.main import demo
from wsss_core.cli.presets import PRESETS, init_project, load_preset, write_rows
from wsss_core.report.budget import main_runs
from wsss_core.rows.check import check_rows
from wsss_core.rows.graph import make_rows
from wsss_core.stage import InputError, load_params

ALL = ["mining", "crf", "em", "dcsp", "affinity", "combined"]
ROOT = Path(__file__).resolve().parents[2]


def preset(name: str) -> dict:
    return load_preset(name)


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_gives_consistent_rows(name):
    params = preset(name)
    rows = make_rows(params)
    assert rows["runs"]["mining_0"]["labels"] == "cues/max"
    assert rows["runs"]["mining_2"] | {"settings": "mining_2"} == rows["runs"]["mining_2"]
    assert rows["runs"]["mining_2"]["start"] == "segmenters/mining_1"
    assert rows["esteps"]["mining_2"]["segmenter"] == "segmenters/mining_1"


@pytest.mark.parametrize("name", PRESETS)
def test_no_kind_of_rows_has_the_name_of_a_section(name):
    """DVC merges both into one set of variables."""
    methods = ("crf", "em", "second", "dcsp", "affinity", "combined")
    parts = [YAML().load((ROOT / f"wsss_core/presets/{method}.yaml").read_text()) for method in methods]
    sections = {section for part in (preset(name), *parts) for section in part} | {
        "cue_map",
        "train_pixel_features",
        "walk",
    }
    assert not sections & set(make_rows(preset(name)))


def test_the_committed_project_is_the_demo():
    digest = hashlib.sha256((ROOT / "params.yaml").read_bytes()).hexdigest()[:16]
    assert (ROOT / "stages/rows.yaml").read_text().splitlines()[1].endswith(f"without an edit: {digest}")
    assert load_params(ROOT / "params.yaml") == preset("demo")
    assert YAML(typ="safe").load((ROOT / "stages/rows.yaml").read_text()) == make_rows(preset("demo"))


@pytest.mark.parametrize(
    ("kind", "row", "key", "store"),
    [
        ("runs", "mining_1", "labels", "posteriors/minnig_1"),
        ("runs", "mining_0", "start", "backbones/vgg"),
        ("esteps", "mining_1", "segmenter", "segmenters/mining_9"),
        ("evaluations", "mining_1", "store", "predictions/none"),
        ("cues", "max", "attention", "attention/none"),
    ],
)
def test_a_row_that_names_an_unknown_store_is_refused(kind, row, key, store):
    params = preset("demo")
    rows = copy.deepcopy(make_rows(params))
    rows[kind][row][key] = store
    with pytest.raises(InputError, match=f"{kind}.{row}.{key}: no stage makes '{store}'; there are"):
        check_rows(rows, params)


def test_a_row_with_unknown_settings_is_refused():
    params = preset("demo")
    del params["train_segmenter"]["mining_1"]
    with pytest.raises(InputError, match="train_segmenter.mining_1: no such section"):
        make_rows(params)


def test_further_rounds_seeds_and_ablations_only_add_rows(project):
    init_project("demo")
    before = make_rows(load_params())
    write_rows({"rounds": 3, "seeds": 2, "ablations": True})
    after = make_rows(load_params())
    for kind in ("runs", "esteps", "cues", "evaluations"):
        assert before[kind].items() <= after[kind].items()
    assert after["runs"]["mining_3"]["settings"] == "mining_3"
    assert after["runs"]["mining_2_s1"] == {
        "settings": "mining_2",
        "labels": "posteriors/mining_2_s1",
        "start": "segmenters/mining_1_s1",
        "seed": 1,
        "networks": 3,
    }
    assert {"em2_hard_hard", "em2_max_10_hard", "em2_relative_05_relative_05", "cold_2"} <= set(after["runs"])


def test_the_demo_goes_from_one_method_to_all_and_back(project, monkeypatch):
    called = []
    monkeypatch.setattr("subprocess.call", lambda command, env: called.append(command[-1]) or 0)
    init_project("demo")
    before = Path("params.yaml").read_text()
    demo(all_=True)
    params = load_params()
    assert (params["rows"]["preset"], params["budget"]["images_seen"], params["budget"]["size"]) == ("tour", 1200, 128)
    rows = make_rows(params)
    assert list(main_runs(rows["segmenters"], rows["main_runs"])) == [
        "mining pixels",
        "CRF neighbourhood",
        "EM with biases",
        "DCSP",
        "affinity",
    ]
    demo(all_=False)
    assert Path("params.yaml").read_text() == before and called == ["repro"] * 2
    Path("params.yaml").write_text(before.replace("images_seen: 3600", "images_seen: 3601"))
    with pytest.raises(InputError, match="was edited"):
        demo(all_=True)


def test_a_method_divides_the_budget_among_its_networks(project):
    Path("photos/JPEGImages").mkdir(parents=True)
    Path("maps").mkdir()
    init_project("laptop", detector=Path("maps"), root=Path("photos"), options={"methods": ALL})
    params = load_params()
    for section in (params["rows"], params["combinations"]["combined"]):
        section.pop("networks", None)
    rows = make_rows(params)
    networks = {name: row["networks"] for kind in ("runs", "em_runs", "affinities") for name, row in rows[kind].items()}
    main = {chain[0]: networks[chain[0]] for chain in rows["main_runs"].values()}
    assert main == {"mining_0": 3, "crf_exp": 1, "em_adapt": 1, "dcsp_0": 2, "affinity_1": 3, "combined_0": 2}
    assert networks["combined_1_spn"] == 2 and networks["affinity_1_spn"] == 3
    params["rows"] |= {"rounds": 1, "networks": {"mining": 3}}
    assert make_rows(params)["runs"]["mining_1"]["networks"] == 3
    params["rows"]["networks"] = {"em": 3}
    with pytest.raises(InputError, match="networks: expected mining, dcsp or affinity and at least 1, got em: 3"):
        make_rows(params)


def test_main_runs_alone(project):
    methods = ["mining", "crf", "em", "dcsp", "affinity", "combined"]
    init_project("demo", options={"methods": methods, "main_only": True})
    rows = make_rows(load_params())
    assert list(rows["em_runs"]) == ["crf_exp", "em_adapt"]
    assert list(main_runs(rows["segmenters"], rows["main_runs"]).values()) == [
        "mining_2",
        "crf_exp",
        "em_adapt",
        "dcsp_1",
        "affinity_2_spn",
        "combined_1_spn",
    ]
    assert rows["boxed"] == rows["crf_searches"] == {}
    made = {row["store"] for row in rows["evaluations"].values()}
    assert {panel["store"] for panel in rows["panels"] if panel["store"].startswith("predictions")} <= made
    with pytest.raises(InputError, match="main_only"):
        init_project("demo", options={"main_only": True, "ablations": True}, force=True)
