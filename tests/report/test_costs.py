"""Costs of the stages: read beside the artifacts, written beside the report."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from wsss_core.cli.costs import costs
from wsss_core.report.costs import Cost, read_costs, write_costs
from wsss_core.stage import InputError

GRAPH = """
stages:
  mine_regions:
    foreach: ${regions}
    do:
      outs:
      - data/regions/${key}
  evaluate:
    foreach: ${evaluations}
    do:
      outs:
      - reports/${item.kind}/${key}.json
  report:
    outs: [reports/index.html, reports/plots]
    metrics:
    - reports/summary.json: {cache: false}
"""
FILES = {
    "data/regions/one/store.zarr/c/0": 1000,
    "data/regions/one/index.parquet": 200,
    "reports/runs/one.json": 30,
    "reports/index.html": 4,
    "reports/plots/loss.csv": 2,
    "reports/summary.json": 1,
    "data/segmenters/<b>x": 5,
}
NOTED = {
    "mine_regions": "data/regions/one",
    "evaluate": "reports/runs/one.json",
    "report": "reports",
    "train_em": "data/segmenters/<b>x",
    "predict": "data/predictions/removed",
}


SEEDS = ("", "_s1", "_s2")


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("dvc.yaml").write_text(GRAPH)
    for name, size in FILES.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(b"x" * size)
    Path("data/.work/costs").mkdir(parents=True)
    for n, (stage, out) in enumerate(NOTED.items()):
        noted = {"stage": stage, "out": out, "seconds": 1.5 + n, "peak_mib": 100}
        Path(f"data/.work/costs/{n}.json").write_text(json.dumps(noted))
    return tmp_path


def test_a_stage_has_the_bytes_of_all_its_outputs(project):
    assert read_costs() == [
        Cost("mine_regions", "data/regions/one", 1.5, 100, 1200),
        Cost("evaluate", "reports/runs/one.json", 2.5, 100, 30),
        Cost("report", "reports", 3.5, 100, 7),
        Cost("train_em", "data/segmenters/<b>x", 4.5, 100, 5),
    ]


def test_the_command_prints_and_writes_a_page_of_its_own(project, capsys):
    costs()
    assert "1,200" in capsys.readouterr().out
    page = Path("reports/costs.html").read_text()
    assert "1,200" in page and "<b>x" not in page and "&lt;b&gt;x" in page and "12.0" in page
    assert "://" not in page
    values = json.loads(Path("reports/costs.json").read_text())
    assert values["stages"][0]["seconds"] == 1.5
    assert [claim["id"] for claim in values["claims"]] == ["C27"]
    assert Path("reports/index.html").read_bytes() == b"xxxx"


def test_times_decide_the_claim_on_training_time(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    seconds = {"crf_none": 100.0, "crf_none_s1": 110.0, "crf_none_s2": 100.0}
    seconds |= {"crf_exp": 130.0, "crf_exp_s1": 142.0, "crf_exp_s2": 130.0}
    write_costs([Cost("train_em", f"data/segmenters/{run}", s, 1, 1) for run, s in seconds.items()], Path("reports"))
    (claim,) = json.loads(Path("reports/costs.json").read_text())["claims"]
    assert claim["verdict"] == "does not hold"  # 30, 29 and 30 percent more
    assert claim["ours"][0]["differences"] == pytest.approx([30, 29.091, 30])


def test_the_time_of_what_went_on_decides_nothing_and_says_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    costs = [Cost("train_em", f"data/segmenters/{run}{s}", 100, 1, 1) for run in ("crf_none", "crf_exp") for s in SEEDS]
    costs[1] = replace(costs[1], interrupted=True)
    write_costs(costs, Path("reports"))
    values = json.loads(Path("reports/costs.json").read_text())
    (claim,) = values["claims"]
    assert claim["ours"][0]["values"] == {"crf_exp:seconds": [100.0] * 3, "crf_none:seconds": [100.0] * 2}
    assert (claim["verdict"], claim["reason"]) == ("not decided", "two seeds of the three needed")
    assert [stage["interrupted"] for stage in values["stages"]] == [False, True, *[False] * 4]
    page = Path("reports/costs.html").read_text()
    assert page.count("<td>100.0, interrupted before</td>") == 1 and page.count("<td>100.0</td>") == 5


def test_a_stage_that_went_on_is_read_as_such(project):
    path = Path("data/.work/costs/3.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"interrupted": True}))
    assert [cost.interrupted for cost in read_costs()] == [False, False, False, True]


def test_the_page_of_costs_says_which_times_are_missing(project):
    write_costs([Cost("train_em", "data/segmenters/crf_exp", 1.0, 1, 1)], Path("reports"))
    (claim,) = json.loads(Path("reports/costs.json").read_text())["claims"]
    assert claim["reason"] == "missing: crf_none:seconds"


def test_without_costs_there_is_a_page_that_says_so(project):
    write_costs([], Path("reports"))
    assert "No stage has run here." in Path("reports/costs.html").read_text()


def test_a_damaged_file_is_named(project):
    Path("data/.work/costs/0.json").write_text("{")
    with pytest.raises(InputError, match=r"costs/0\.json: damaged"):
        read_costs()
