"""The rows of online EM: the CRF neighbourhood, and EM with biases on tags, boxes, masks and two data sets."""

from pathlib import Path

import pytest

from wsss_core.cli.presets import init_project, write_rows
from wsss_core.rows.graph import make_rows
from wsss_core.stage import InputError, load_params


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
    swept = set(make_rows(load_params())["em_runs"]) - set(rows["em_runs"])
    assert {"em_fixed_gap_0", "box_seg_center_80", "field_small"} <= swept and "field_large_200" not in swept
    write_rows({"strong": [50, 200, "all"]})
    params = load_params()
    assert "field_large_200" in make_rows(params)["em_runs"]
    assert params["train_em"]["em_fixed_gap_8"]["loss"]["estep"]["foreground_boost"] == 11
    assert params["box_labels"]["seg_40"] == {**params["box_labels"]["seg"], "center": 0.4}
    assert params["train_em"]["field_small"]["head"] == params["train_em"]["field_large"]["head"] == "largefov"
    assert params["train_em"]["field_small"]["field_of_view"] == 128
    with pytest.raises(InputError, match="rows: strong: expected numbers of images or all, got 'some'"):
        write_rows({"strong": ["some"]})


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
