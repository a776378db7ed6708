"""The rows of combinations."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from wsss_core.cli.presets import init_project, write_rows
from wsss_core.report.budget import main_runs
from wsss_core.rows.graph import make_rows
from wsss_core.stage import InputError, load_params

MINE = {"cues": "max", "settings": "combined"}


def test_the_combination_runs_from_harmonic_cues_to_propagation(project):
    init_project("demo", options={"methods": ["mining", "combined"], "ablations": True})
    rows, settings = make_rows(load_params()), load_params()["train_segmenter"]
    first = {"settings": "combined", "labels": "cues/harmonic", "start": "attention_nets/cam", "seed": 0}
    first["networks"] = 2  # beside propagation
    assert rows["runs"]["combined_0"] == first
    assert rows["runs"]["combined_1"]["labels"] == "posteriors/combined_1"
    assert rows["regions"]["combined_1"]["labels"] == "posteriors/combined_1_own"
    spn = rows["affinities"]["combined_1_spn"]
    assert (spn["unary"], spn["labels"]) == ("segmenters/combined_1", "regions/combined_1")
    assert rows["evaluations"]["combined_1_spn"]["store"] == "predictions/combined_1_spn"
    assert [part["run"] for part in rows["combined"]["combined"]] == ["combined_0", "combined_1", "combined_1_spn"]
    assert [settings[name]["neighbourhood_weight"] for name in ("combined", "combined_plain")] == [0.1, 0]
    assert rows["runs"]["combined_max_0"] == {**first, "labels": "cues/max"}
    assert rows["runs"]["combined_plain_0"] == {**first, "settings": "combined_plain"}
    assert (
        rows["runs"]["combined_ce_0"] == {**first, "settings": "combined_ce"}
        and not settings["combined_ce"]["iou_gain"]
    )
    assert rows["runs"]["combined_cold_0"] == {**first, "start": "backbones/lite0"}
    assert "affinity_1" not in rows["runs"] and rows["chains"] == {} and rows["refinements"] == {}


def test_a_combination_is_any_cue_loss_start_and_order(project):
    init_project("demo", options={"methods": ["mining", "combined"], "seeds": 2})
    params = load_params()
    mine = {"cues": "cam", "settings": "mining_1", "then": ["regions", "adapted"], "start": "backbones/lite0"}
    params["combinations"] = {"mine": mine}
    params["estep"]["adapted"] = {"kind": "adapt"}
    rows = make_rows(params)
    runs = {name: run for name, run in rows["runs"].items() if name.startswith("mine_")}
    assert list(runs) == ["mine_0", "mine_1", "mine_2", "mine_0_s1", "mine_1_s1", "mine_2_s1"]
    first = {"settings": "mining_1", "labels": "cues/cam", "start": "backbones/lite0", "seed": 0, "networks": 3}
    assert runs["mine_0"] == first
    assert runs["mine_1"] == {**first, "labels": "refined/mine_0", "start": "segmenters/mine_0"}
    assert runs["mine_2_s1"]["labels"] == "posteriors/mine_2_s1" and runs["mine_2_s1"]["seed"] == 1
    assert rows["esteps"]["mine_2_s1"] == {
        "settings": "adapted",
        "segmenter": "segmenters/mine_1_s1",
        "cues": "cues/cam",
    }
    assert rows["refinements"]["mine_0"] == {
        "segmenter": "segmenters/mine_0_spn",
        "labels": "regions/mine_0",
        "cues": "cues/cam",
    }
    shown = [part["run"] for part in rows["combined"]["mine"]]
    assert shown == ["mine_0", "mine_0_spn", "mine_1", "mine_2"]
    assert main_runs(rows["segmenters"], rows["main_runs"])["combination"] == "mine_2"
    del params["refine"]
    with pytest.raises(InputError, match="refine: no such section"):
        make_rows(params)


def test_again_goes_on_with_the_same_labels(project):
    init_project("demo", options={"methods": ["mining", "combined"]})
    params = load_params()
    params["combinations"] = {"mine": {**MINE, "then": ["again", "class_restricted", "again"]}}
    rows = make_rows(params)
    runs = [rows["runs"][f"mine_{t}"] for t in range(4)]
    assert [run["labels"] for run in runs] == ["cues/max", "cues/max", "posteriors/mine_2", "posteriors/mine_2"]
    assert [run["start"] for run in runs[1:]] == [f"segmenters/mine_{t}" for t in range(3)]
    assert rows["combined"]["mine"][1] == {"run": "mine_1", "part": "again on the same labels"}
    assert [name for name in rows["esteps"] if name.startswith("mine_")] == ["mine_2"]


def test_a_second_propagation_goes_on_from_the_first(project):
    init_project("demo", options={"methods": ["mining", "combined"]})
    params = load_params()
    params["combinations"] = {"mine": {**MINE, "then": ["regions", "regions"]}}
    spn = make_rows(params)["affinities"]
    assert [spn[f"mine_{t}_spn"]["start"] for t in (0, 1)] == ["attention_nets/cam", "segmenters/mine_0_spn"]


def test_a_combination_brings_its_cue(project):
    init_project("demo", options={"methods": ["mining", "dcsp", "combined"]})
    params = load_params()
    params["rows"]["methods"] = ["mining", "combined"]
    assert "dcsp" not in make_rows(params)["cues"]
    params["combinations"] = {"mine": {"cues": "dcsp", "settings": "combined"}}
    rows = make_rows(params)
    assert rows["cues"]["dcsp"]["attention"] == "attention/fcan" and "dcsp_0" not in rows["runs"]


@pytest.mark.parametrize(
    ("combinations", "said"),
    [
        ({"mining": MINE}, r"combinations: 'mining': expected a-z, 0-9 and _, not cues_…, and none of mining, crf"),
        ({"my/net": MINE}, "combinations: 'my/net': expected a-z"),
        ({"cues_mine": MINE}, "combinations: 'cues_mine': expected a-z"),
        ({"strong": {**MINE, "then": ["class_restricted"] * 50}}, "there is a run 'strong_50' already"),
        ({"mine": {**MINE, "cues": "none"}}, "combinations.mine.cues: 'none' is none of max, harmonic, cam"),
        ({"mine": {**MINE, "settings": "none"}}, "train_segmenter.none: no such section"),
        ({"mine": {**MINE, "then": ["none"]}}, "estep.none: no such section"),
        ({"mine": {**MINE, "then": "regions"}}, r"combinations.mine.then"),
        ({"mine": {**MINE, "than": []}}, "combinations.mine.than: unknown key; did you mean then"),
        ({"mine": {**MINE, "start": "cues/max"}}, "combinations.mine: start: 'cues/max' is no network"),
        (
            {"mine": {**MINE, "start": "segmenters/mine_0"}},
            "combinations.mine.start: segmenters/mine_0 is one of its own",
        ),
        ({"mine": None}, "combinations.mine.cues: missing"),
        ({"mine": "max"}, "combinations.mine: expected keys and values"),
        ({}, "combinations: none is named"),
    ],
)
def test_a_combination_names_what_there_is(project, combinations, said):
    init_project("demo", options={"methods": ["mining", "combined"]})
    params = load_params()
    params["combinations"] = combinations
    with pytest.raises(InputError, match=said):
        make_rows(params)


@pytest.mark.parametrize("word", ["regions", "again"])
def test_an_estep_cannot_hide_behind_a_word_of_combinations(project, word):
    init_project("demo", options={"methods": ["mining", "combined"]})
    params = load_params()
    params["estep"][word] = {}
    with pytest.raises(InputError, match=rf"estep\.{word}: in combinations the word has a meaning of its own"):
        make_rows(params)


def test_what_a_combination_is_compared_with_goes_with_the_ablations(project):
    init_project("demo", options={"methods": ["mining", "combined"], "ablations": True})
    assert "combined_max_0" in make_rows(load_params())["runs"]
    write_rows({"ablations": False})
    assert not {run for run in make_rows(load_params())["runs"] if run.startswith(("combined_max", "combined_plain"))}
    assert list(load_params()["combinations"]) == ["combined"]


def test_own_combinations_are_not_lost(project):
    init_project("demo", options={"methods": ["mining", "combined"]})
    params = load_params()
    params["combinations"]["mine"] = MINE
    YAML().dump(params, Path("params.yaml"))
    with pytest.raises(InputError, match="params.yaml: was edited"):
        init_project("demo")
