"""Wiring rows are made from params.yaml and refuse what does not exist."""

import copy
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from wsss_core.cli.main import demo
from wsss_core.cli.presets import PRESETS, init_project, load_preset, write_rows
from wsss_core.cli.rows import check_rows, make_rows
from wsss_core.report.budget import main_runs
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
    sections = {section for part in (preset(name), *parts) for section in part} | {"cue_map", "walk"}
    assert not sections & set(make_rows(preset(name)))


def test_the_committed_project_is_the_demo():
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


def test_the_crf_method_adds_its_runs_and_settings(project):
    init_project("demo", options={"methods": ["mining", "crf"]})
    few = make_rows(load_params())
    assert list(few["em_runs"]) == ["crf_none", "crf_mean", "crf_exp"]
    write_rows({"ablations": True})
    params = load_params()
    rows = make_rows(params)
    assert few["em_runs"].items() <= rows["em_runs"].items()
    weights = {
        (run["loss"]["neighbourhood"]["form"], run["loss"]["neighbourhood_weight"])
        for name, run in params["train_em"].items()
        if name not in ("crf_none", "crf_joint")
    }
    assert weights == {(form, w) for form in ("weighted_mean", "exponentiated") for w in (0.1, 0.2, 0.3, 0.5, 1.0)}
    assert rows["evaluations"]["crf_exp_100"] == {"store": "predictions/crf_exp_100", "kind": "runs"}
    assert params["train_em"]["crf_joint"]["loss"]["neighbourhood"] == {"form": "exponentiated", "normalised": "joint"}
    assert list(rows["segmenters"])[:3] == ["mining_0", "mining_1", "mining_2"]
    assert rows["em_runs"]["crf_exp_50"]["start"] == "attention_nets/cam"


def test_em_with_biases_adds_its_runs_for_every_number_of_masks(project):
    init_project("demo", options={"methods": ["mining", "em"], "strong": [50, "all"]})
    rows = make_rows(load_params())
    weak = {"em_fixed", "em_adapt", "box_rect", "box_em_fixed", "box_seg"}
    semi = {f"{name}_50" for name in weak} | {"strong_50", "strong_all"}
    assert set(rows["em_runs"]) == weak | semi
    assert (
        rows["em_runs"]["box_seg_50"] | {"labels": "data/box_labels/seg", "strong": 50} == rows["em_runs"]["box_seg_50"]
    )
    supervision = {
        name: rows["em_runs"][name]["supervision"] for name in ("em_fixed", "em_fixed_50", "box_em_fixed_50")
    }
    assert list(supervision.values()) == ["stages/__init__.py", "data/dataset/masks", "data/dataset"]
    assert rows["em_runs"]["box_em_fixed"]["supervision"] == "data/dataset/boxes.parquet"
    assert rows["wiring"]["box_labels"] == "data/box_labels"
    assert rows["evaluations"]["box_seg_labels"] == {"kind": "labels", "store": "box_labels/seg"}
    write_rows({"ablations": True})
    params = load_params()
    swept = set(make_rows(params)["em_runs"]) - set(rows["em_runs"])
    assert {"em_fixed_gap_0", "box_seg_center_80", "field_small", "field_large_200"} <= swept
    assert params["train_em"]["em_fixed_gap_8"]["loss"]["estep"]["foreground_boost"] == 11
    assert params["box_labels"]["seg_40"] == {**params["box_labels"]["seg"], "center": 0.4}
    assert params["train_em"]["field_small"]["field_of_view"] == 128
    with pytest.raises(InputError, match="rows: strong: expected numbers of images or all, got 'some'"):
        write_rows({"strong": ["some"]})


def test_dcsp_adapts_its_cues_and_varies_them(project):
    init_project("demo", options={"methods": ["mining", "dcsp"]})
    rows = make_rows(load_params())
    assert rows["attentions"]["fcan"] == {"start": "backbones/lite0"}
    assert rows["cues"]["dcsp"] == {"settings": "dcsp", "attention": "attention/fcan"}
    assert rows["cues"]["max"]["attention"] == "attention/cam"
    assert rows["runs"]["dcsp_0"] | {"labels": "cues/dcsp", "start": "attention_nets/fcan"} == rows["runs"]["dcsp_0"]
    assert rows["runs"]["dcsp_1"]["labels"] == "posteriors/dcsp_1" and "dcsp_2" not in rows["runs"]
    assert rows["esteps"]["dcsp_1"] == {
        "settings": "adapt",
        "segmenter": "segmenters/dcsp_0",
        "cues": "cues/dcsp",
    }
    write_rows({"ablations": True})
    params = load_params()
    more = make_rows(params)
    assert more["runs"]["dcsp_2"]["start"] == "segmenters/dcsp_1"
    assert {"dcsp_s1_1", "dcsp_gamma_60_0", "dcsp_separate_1", "dcsp_unadapted_1"} <= set(more["runs"])
    assert more["runs"]["dcsp_gmp_0"]["start"] == "attention_nets/gmp"
    assert more["cues"]["dcsp_gmp"]["attention"] == "attention/gmp"
    assert params["mine_cues"]["dcsp_s1"]["step"] == 1 and params["mine_cues"]["dcsp_max"]["combine"] == "max"
    assert params["train_attention"]["gmp"]["pool"] == "gmp"
    assert more["cue_maps"] == {"cue_map": {"net": "attention_nets/fcan"}} and rows["cue_maps"] == {}
    assert more["evaluations"]["cue_map"] == {"kind": "runs", "store": "predictions/cue_map"}
    write_rows({"ablations": False})
    assert make_rows(load_params()) == rows
    write_rows({"ablations": True})
    assert "&" not in (project / "params.yaml").read_text()  # no anchors: two sections never share a value
    init_project("demo")  # nothing was edited by hand


def test_each_step_of_affinity_feeds_the_next(project):
    init_project("demo", options={"methods": ["mining", "affinity"], "steps": 3})
    rows = make_rows(load_params())
    assert [rows["runs"][f"affinity_{t}"]["labels"] for t in (1, 2, 3)] == [
        "cues/cam",
        "refined/affinity_1",
        "refined/affinity_2",
    ]
    starts = [rows["runs"][f"affinity_{t}"]["start"] for t in (1, 2, 3)]
    assert starts == ["attention_nets/cam", "segmenters/affinity_1", "segmenters/affinity_2"]
    starts = [rows["affinities"][f"affinity_{t}_spn"]["start"] for t in (1, 2, 3)]
    assert starts == ["attention_nets/cam", "segmenters/affinity_1_spn", "segmenters/affinity_2_spn"]
    anew = make_rows(load_params() | {"rows": {**load_params()["rows"], "tagged": False}})
    assert {
        anew[kind][name]["start"] for kind in ("runs", "affinities") for name in anew[kind] if "affinity" in name
    } == {"backbones/lite0"}
    regions = {"labels": "posteriors/affinity_2", "start": "segmenters/affinity_2"}
    assert rows["regions"]["affinity_2"] | regions == rows["regions"]["affinity_2"]
    spn = rows["affinities"]["affinity_2_spn"]
    assert (spn["unary"], spn["labels"]) == ("segmenters/affinity_2", "regions/affinity_2")
    assert rows["refinements"]["affinity_2"] == {
        "segmenter": "segmenters/affinity_2_spn",
        "labels": "regions/affinity_2",
        "cues": "cues/cam",
    }
    assert rows["evaluations"]["affinity_3_spn"] == {"kind": "runs", "store": "predictions/affinity_3_spn"}
    assert rows["evaluations"]["refined_affinity_3"] == {"kind": "labels", "store": "refined/affinity_3"}
    assert rows["wiring"]["regions"] == "data/regions"
    with pytest.raises(InputError, match="steps must be at least 1, got 0"):
        write_rows({"steps": 0})


def test_affinity_starts_from_other_seeds_where_it_is_told_to(project):
    init_project("demo", options={"methods": ["mining", "affinity"]})
    params = project / "params.yaml"
    text = params.read_text().replace("attention: cam,", "attention: cam, affinity_cues: harmonic,", 1)
    params.write_text(text)
    rows = make_rows(load_params())
    assert [rows["runs"][f"affinity_{t}"]["labels"] for t in (1, 2)] == ["cues/harmonic", "refined/affinity_1"]
    params.write_text(text.replace("affinity_cues: harmonic", "affinity_cues: nowhere"))
    with pytest.raises(InputError, match=r"params\.yaml: rows\.affinity_cues: 'nowhere' is none of max, harmonic, cam"):
        make_rows(load_params())


def test_each_ablation_of_affinity_leaves_one_part_out(project):
    init_project("demo", options={"methods": ["mining", "affinity"], "steps": 2, "ablations": True})
    params = load_params()
    rows = make_rows(params)
    # without mining: learnt from the unary network's own labels
    assert rows["affinities"]["affinity_unmined_1_spn"]["labels"] == "posteriors/affinity_1"
    assert rows["affinities"]["affinity_unmined_2_spn"]["labels"] == "posteriors/affinity_unmined_2"
    assert not [name for name in rows["regions"] if "unmined" in name]
    # without the pairwise network: straight from the regions
    assert rows["runs"]["affinity_unpaired_2"]["labels"] == "regions/affinity_1"
    assert not [name for name in rows["affinities"] if "unpaired" in name]
    # without smoothness: all but the first unary network and its regions
    assert rows["affinities"]["affinity_rough_1_spn"]["labels"] == "regions/affinity_1"
    assert rows["affinities"]["affinity_rough_2_spn"]["labels"] == "regions/affinity_rough_2"
    assert params["train_affinity"]["affinity_rough"]["smoothness"] == 0
    # the contrast: maps walk, seeds are mined from what the walk made of them
    assert rows["walks"]["psa_1"] | {"labels": "cues/cam", "attention": "attention/cam"} == rows["walks"]["psa_1"]
    assert rows["cues"]["psa_2"] == {"settings": "cam", "attention": "walks/psa_1"}
    assert rows["walks"]["psa_2"] | {"labels": "cues/psa_2", "attention": "walks/psa_1"} == rows["walks"]["psa_2"]
    assert list(rows["chains"]) == ["affinity", "affinity_unmined", "affinity_unpaired", "affinity_rough", "psa"]
    assert rows["chains"]["affinity_unpaired"][1] == {
        "unary": "posteriors_affinity_unpaired_2",
        "val": "affinity_unpaired_2",
        "confident": "regions_affinity_unpaired_2",
    }
    firsts = [name for name in rows["runs"] if name.startswith("affinity") and name.endswith("_1")]
    assert firsts == ["affinity_1"]


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


MINE = {"cues": "max", "settings": "combined"}


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


def test_the_demo_goes_from_one_method_to_all_and_back(project, monkeypatch):
    called = []
    monkeypatch.setattr("subprocess.call", lambda command, env: called.append(command[-1]) or 0)
    init_project("demo")
    before = Path("params.yaml").read_text()
    demo(all_=True)
    params = load_params()
    assert (params["rows"]["preset"], params["budget"]["images_seen"], params["budget"]["size"]) == ("tour", 600, 128)
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
    Path("params.yaml").write_text(before.replace("images_seen: 1800", "images_seen: 1801"))
    with pytest.raises(InputError, match="was edited"):
        demo(all_=True)


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


@pytest.mark.parametrize("name", ["laptop", "voc12"])
def test_ready_made_saliency_has_no_steps_to_vary(project, name):
    Path("photos/JPEGImages").mkdir(parents=True)
    Path("maps").mkdir()
    options = {"methods": ["mining", "dcsp"], "ablations": True}
    init_project(name, root=Path("photos"), detector=Path("maps"), options=options)
    runs = make_rows(load_params())["runs"]
    assert not {run for run in runs if run.startswith("dcsp_s") and "separate" not in run}
    assert "dcsp_gmp_1" in runs


def test_a_second_data_set_adds_joint_runs_and_pretraining(project):
    Path("photos/JPEGImages").mkdir(parents=True)
    Path("maps").mkdir()
    options = {"methods": ["mining", "em"]}
    init_project("laptop", root=Path("photos"), second=Path("photos"), detector=Path("maps"), options=options)
    rows = make_rows(load_params())
    assert rows["datasets"]["second"] == {"main": "photos", "more": "data/README.md"}
    joint, weak, tuned = (rows["em_runs"][name] for name in ("cross_joint", "cross_weak", "finetuned"))
    assert (joint["strong"], joint["second"], joint["second_strong"]) == ("all", "data/second", "all")
    assert (weak["settings"], weak["second_strong"]) == ("cross", 0)
    assert rows["em_runs"]["cross_20"]["second_strong"] == 20
    assert (rows["em_runs"]["pretrained"]["dataset"], tuned["start"]) == ("second", "segmenters/pretrained")
    assert "pretrained" not in rows["segmenters"] and "finetuned" in rows["segmenters"]
    assert "pretrained" not in rows["plotted"]
    write_rows({"methods": ["mining"]})
    assert "second" not in make_rows(load_params())["datasets"]


def test_two_data_sets_have_batches_to_share_in_the_papers_preset(project):
    Path("photos/JPEGImages").mkdir(parents=True)
    Path("coco/annotations").mkdir(parents=True)
    Path("coco/train2017").mkdir()
    Path("coco/annotations/instances_train2017.json").touch()
    Path("maps").mkdir()
    options = {"methods": ["mining", "crf", "em"]}
    init_project("voc12", root=Path("photos"), second=Path("coco"), detector=Path("maps"), options=options)
    params = load_params()
    assert {params["train_em"][name]["training"]["batch"] for name in ("cross", "cross_strong", "em_fixed")} == {20}
    assert params["ingest"]["second"]["sources"]["main"]["classes_map"] == "voc_names"
    assert {"cross_5000", "cross_strong_5000", "strong_1464", "strong_all"} <= set(make_rows(params)["em_runs"])
    init_project("voc12", root=Path("coco"), second=Path("photos"), detector=Path("maps"), options=options)
    sources = load_params()["ingest"]
    assert sources["dataset"]["sources"]["main"]["classes_map"] == "voc_names"
    assert "classes_map" not in sources["second"]["sources"]["main"]
    init_project("demo")  # nothing was edited by hand


def test_the_papers_encoder_has_stride_16(project):
    Path("photos/JPEGImages").mkdir(parents=True)
    Path("maps").mkdir()
    init_project("voc12", root=Path("photos"), detector=Path("maps"), options={"methods": ["mining", "crf"]})
    params = load_params()
    rows = make_rows(params)
    assert set(rows["backbones"]) == {"vgg16", "vgg16_encoder"}
    assert rows["em_runs"]["crf_mean"]["start"] == "backbones/vgg16_encoder"
    assert params["backbone"]["vgg16_encoder"]["output_stride"] == 16
    assert params["train_em"]["crf_mean"]["training"]["batch"] == 20
    with pytest.raises(InputError, match="rows: methods: mining is always among them"):
        make_rows(params | {"rows": {**params["rows"], "methods": ["crf"]}})


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
