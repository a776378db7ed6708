"""The rows of DCSP."""

from pathlib import Path

import pytest

from wsss_core.cli.presets import init_project, write_rows
from wsss_core.rows.graph import make_rows
from wsss_core.stage import load_params


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


@pytest.mark.parametrize("name", ["laptop", "voc12"])
def test_ready_made_saliency_has_no_steps_to_vary(project, name):
    Path("photos/JPEGImages").mkdir(parents=True)
    Path("maps").mkdir()
    options = {"methods": ["mining", "dcsp"], "ablations": True}
    init_project(name, root=Path("photos"), detector=Path("maps"), options=options)
    runs = make_rows(load_params())["runs"]
    assert not {run for run in runs if run.startswith("dcsp_s") and "separate" not in run}
    assert "dcsp_gmp_1" in runs
