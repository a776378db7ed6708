"""The budget of every method's main run, and whether it is the same."""

import json
from pathlib import Path

from wsss_core.data.budget import Budget
from wsss_core.report.budget import Spent, spent_by_method, unequal

BUDGET = Budget(size=192, images_seen=100)


def trained(folder: Path, run: str, images: int | None, backbone: str = "lite0", photos: int = 30) -> None:
    (folder / run).mkdir()
    (folder / run / "model.json").write_text(json.dumps({"backbone": backbone}))
    (folder / run / "training.json").write_text(json.dumps({"photos": photos}))
    if images is not None:
        (folder / run / "loss.csv").write_text(f"step,images,total\n1,10,2.0\n9,{images},1.0\n")


def test_the_last_trained_run_of_a_chain_stands_for_its_method(tmp_path):
    chains = {
        "mining pixels": ["mining_0", "mining_1", "mining_2"],
        "EM with biases": ["em_adapt"],
        "DCSP": ["dcsp_0", "dcsp_1"],
    }
    for run in ("mining_0", "mining_1", "dcsp_1", "dcsp_2"):
        trained(tmp_path, run, 100)
    runs = ["mining_0", "mining_1", "mining_2", "dcsp_1", "dcsp_2"]
    assert {method: spent.run for method, spent in spent_by_method(runs, tmp_path, BUDGET, chains, {}).items()} == {
        "mining pixels": "mining_1",
        "DCSP": "dcsp_1",
    }
    assert spent_by_method(runs, tmp_path, BUDGET, chains, {})["mining pixels"].images == 200


def test_what_was_trained_is_read_from_its_folder(tmp_path):
    trained(tmp_path, "mining_0", 90, "vgg16")
    trained(tmp_path, "crf_exp", None, photos=20)
    chains = {"mining pixels": ["mining_0"], "CRF neighbourhood": ["crf_exp"]}
    spent = spent_by_method(["mining_0", "crf_exp"], tmp_path, BUDGET, chains, {})
    assert list(spent.values()) == [Spent("mining_0", "vgg16", 192, 30, 90), Spent("crf_exp", "lite0", 192, 20, 0)]
    assert unequal(list(spent.values())) == ["backbone", "photos", "images"]


def test_images_of_all_networks_count_but_not_those_of_propagation(tmp_path):
    for run, images in (("affinity_1", 30), ("affinity_1_spn", 7), ("affinity_2", 40), ("affinity_2_spn", 8)):
        trained(tmp_path, run, images)
    for run in ("affinity_1_spn", "affinity_2_spn"):
        (tmp_path / run / "model.json").write_text(json.dumps({"backbone": "lite0", "kind": "propagation"}))
    chain = ["affinity_1", "affinity_1_spn", "affinity_2", "affinity_2_spn"]
    spent = spent_by_method(chain, tmp_path, BUDGET, {"affinity": chain}, {})
    assert spent == {"affinity": Spent("affinity_2_spn", "lite0", 192, 30, 70)}


def test_the_networks_that_a_method_starts_from_count_once(tmp_path):
    for run, images in (("mining_0", 10), ("mining_1", 20), ("mining_1_spn", 7), ("both_0", 300), ("both_1", 4000)):
        trained(tmp_path, run, images)
    (tmp_path / "mining_1_spn/model.json").write_text('{"backbone": "lite0", "kind": "propagation"}')
    rows = {
        "mining_0": {"start": "backbones/lite0"},
        "mining_1": {"start": "segmenters/mining_0"},
        "mining_1_spn": {"start": "attention_nets/cam", "unary": "segmenters/mining_1"},
        "both_0": {"start": "segmenters/mining_1_spn"},
        "both_1": {"start": "segmenters/both_0"},
    }
    chains = {"combination": ["both_0", "both_1"], "mining pixels": ["mining_0", "mining_1"]}
    spent = spent_by_method(list(rows), tmp_path, BUDGET, chains, rows)
    assert {method: each.images for method, each in spent.items()} == {"combination": 4330, "mining pixels": 30}
    rows["both_0"] = {"start": "segmenters/removed"}
    assert spent_by_method(list(rows), tmp_path, BUDGET, chains, rows)["combination"].images == 4300


def test_equal_budgets_have_nothing_unequal():
    assert unequal([Spent("a", "lite0", 192, 30, 100), Spent("b", "lite0", 192, 30, 100)]) == []
    assert unequal([]) == []
