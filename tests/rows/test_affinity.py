"""The rows of iterative affinity learning."""

import pytest

from wsss_core.cli.presets import init_project, write_rows
from wsss_core.rows.graph import make_rows
from wsss_core.stage import InputError, load_params


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
    # the seeds instead of the first regions, as Alg. 1 begins
    assert rows["affinities"]["affinity_seeded_1_spn"]["labels"] == "cues/cam"
    assert rows["affinities"]["affinity_seeded_2_spn"]["labels"] == "regions/affinity_seeded_2"
    # the contrast: maps walk, seeds are mined from what the walk made of them
    assert rows["walks"]["psa_1"] | {"labels": "cues/cam", "attention": "attention/cam"} == rows["walks"]["psa_1"]
    assert rows["cues"]["psa_1"] == {"settings": "cam", "attention": "walks/psa_1"}
    assert rows["walks"]["psa_2"] | {"labels": "cues/psa_1", "attention": "walks/psa_1"} == rows["walks"]["psa_2"]
    assert rows["chains"]["psa"][1] == {"confident": "cues_psa_2", "pairwise": "walks_psa_2"}
    assert list(rows["chains"]) == [
        "affinity",
        "affinity_unmined",
        "affinity_unpaired",
        "affinity_rough",
        "affinity_seeded",
        "psa",
    ]
    assert rows["chains"]["affinity_unpaired"][1] == {
        "unary": "posteriors_affinity_unpaired_2",
        "val": "affinity_unpaired_2",
        "confident": "regions_affinity_unpaired_2",
    }
    firsts = [name for name in rows["runs"] if name.startswith("affinity") and name.endswith("_1")]
    assert firsts == ["affinity_1"]
