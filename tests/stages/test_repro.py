"""The whole graph on a tiny data set: what runs, what does not run again, what a killed stage leaves behind."""

import filecmp
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from tiny import edit_params, make_project, repro, run

import wsss_core
from wsss_core.cues.detectors import network_detector
from wsss_core.data.dataset import Dataset
from wsss_core.data.device import default_device
from wsss_core.stage import load_params

pytestmark = pytest.mark.graph

AFTER_ROUND_2 = ["train_segmenter@mining_2", "predict@mining_2", "evaluate@mining_2", "report"]


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    make_project(folder)
    ran = repro(folder)
    assert ran[0] == "make_scenes@scenes"
    assert ran[-1] == "report"
    assert sorted(ran) == sorted(run(folder, "dvc", "stage", "list", "--name-only").split())
    return folder


def same_files(a: Path, b: Path) -> bool:
    names = sorted(str(p.relative_to(a)) for p in a.rglob("*") if p.is_file())
    others = sorted(str(p.relative_to(b)) for p in b.rglob("*") if p.is_file())
    return names == others and filecmp.cmpfiles(a, b, names, shallow=False)[1:] == ([], [])


def test_a_second_repro_does_nothing(project):
    assert repro(project) == []


def test_the_artifacts_open_and_agree(project, monkeypatch):
    monkeypatch.chdir(project)
    index = pd.read_parquet("data/dataset/index.parquet")
    assert index["split"].value_counts().to_dict() == {"train": 12, "easy": 8, "val": 4}
    saliency, cues, posterior = (wsss_core.open(name) for name in ("saliency", "cues/harmonic", "posteriors/mining_1"))
    for row in posterior.table.itertuples():
        size = (row.height, row.width)
        steps = saliency[row.image_id]["saliency"]
        assert steps.shape == (3, *size)
        assert (steps[:-1] <= steps[1:]).all()
        assert set(cues[row.image_id]["labels"].ravel()) <= {0, 255, *row.class_ids}
        stored = posterior[row.image_id]["posterior"]
        assert stored.shape == (row.n_labels, *size)
        assert abs(stored.sum(0, dtype=int) - 255).max() <= row.n_labels


def test_each_saliency_step_looked_at_the_photo_without_what_was_erased(project, monkeypatch):
    monkeypatch.chdir(project)
    photos = Dataset(Path("data/dataset"))
    detect = network_detector(Path("data/saliency_net"), size=load_params()["budget"]["size"], device=default_device())
    table = photos.table[photos.table["split"] == "train"][:3]
    pictures = photos.photos(table.index.tolist())
    middle = float(np.median(detect(pictures[:1])[0]))  # of a photo: what is above it is half of that photo
    before = load_params()["saliency"]["thresholds"]
    edit_params(project, lambda params: params["saliency"].update(thresholds=[middle, middle]))
    inputs = ["--dataset", "data/dataset", "--detector", "data/saliency_net"]
    run(project, sys.executable, "-m", "stages.saliency", *inputs, "--out", "data/saliency_twice")
    edit_params(project, lambda params: params["saliency"].update(thresholds=before))
    saliency = wsss_core.open("saliency_twice")
    stored = [saliency[image_id] for image_id in table["image_id"]]
    assert stored[0]["erased"][0].mean() == pytest.approx(0.5, abs=0.1)
    assert stored[0]["erased"][0].sum() <= stored[0]["erased"][1].sum()
    now = [step / 255 for step in (each["saliency"][0] for each in stored)]
    for k in range(2):
        erased = [each["erased"][k].astype(bool) for each in stored]
        views = [np.where(e[..., None], photos.mean_colour, p) for e, p in zip(erased, pictures, strict=True)]
        now = [np.maximum(before, found) for before, found in zip(now, detect(views), strict=True)]
        for each, expected in zip(stored, now, strict=True):
            np.testing.assert_allclose(each["saliency"][k + 1] / 255, expected, atol=2.5 / 255)


def test_the_report_has_every_run(project):
    metrics = json.loads((project / "reports/metrics.json").read_text())
    assert list(metrics["runs"]) == ["mining_0", "mining_1", "mining_2"]
    assert {"miou", "per_class", "pixel_accuracy", "images"} <= set(metrics["runs"]["mining_2"]["val"])
    assert {"miou", "precision", "recall", "coverage"} <= set(metrics["labels"]["cues_max"]["train"])
    assert "://" not in (project / "reports/index.html").read_text().replace("http://www.w3.org", "")
    costs = (project / "reports/costs.html").read_text()
    # made by `dvc repro`, no other command
    assert all(f"data/<wbr>segmenters/<wbr>mining_{t}</th>" in costs for t in range(3))
    shown = run(project, "dvc", "metrics", "show", "--json")
    assert "mining_2" in shown
    assert "loss" in run(project, "dvc", "plots", "show", "--json")


def test_changing_a_number_of_iteration_2_runs_iteration_2_only(project):
    edit_params(project, lambda params: params["train_segmenter"]["mining_2"].update(training={"lr": 0.02}))
    ran = repro(project)
    assert ran[:2] == AFTER_ROUND_2[:2]
    assert set(ran) <= set(AFTER_ROUND_2)  # DVC passes by the evaluation of predictions that stayed the same


def test_reverting_the_number_restores_from_the_cache(project):
    edit_params(project, lambda params: params["train_segmenter"]["mining_2"].pop("training", None))
    assert "train_segmenter@mining_2" not in repro(project)


def test_a_third_iteration_runs_that_one_only(project):
    run(project, "wsss", "rows", "--rounds", "3")
    third = ["estep@mining_3", "train_segmenter@mining_3", "predict@mining_3"]
    evaluated = ["evaluate@posteriors_mining_3", "evaluate@mining_3"]
    assert sorted(repro(project)) == sorted([*third, *evaluated, "report"])


def test_one_run_of_a_second_method_needs_no_cue(project):
    run(project, "wsss", "rows", "--methods", "mining,crf")
    edit_params(
        project,
        lambda params: params["search_crf"].update(images=2, min_labels=1, bilateral_xy=[30], bilateral_rgb=[13]),
    )
    ran = repro(project, "evaluate@crf_exp", "search_crf@crf_exp")
    assert sorted(ran) == ["evaluate@crf_exp", "predict@crf_exp", "search_crf@crf_exp", "train_em@crf_exp"]
    assert {"labels", "labels_crf"} == set(wsss_core.open(project / "data/predictions/crf_exp").arrays)
    scores = json.loads((project / "reports/runs/crf_exp.json").read_text())
    assert scores["crf"]["val"]["images"] == scores["splits"]["val"]["images"] == 4
    log = pd.read_csv(project / "data/segmenters/crf_exp/loss.csv")
    assert log["total"].tolist() == pytest.approx((log["cross_entropy"] + log["neighbourhood"]).tolist(), rel=1e-4)
    assert log["share_background"].between(0.4 - 1e-3, 0.8 + 1e-3).all()
    found = json.loads((project / "data/crf_search/crf_exp/metrics.json").read_text())
    assert (found["images"], found["split"], found["settings_tried"]) == (2, "train", 2)
    again = run(project, "dvc", "status", "predict@mining_1", "train_segmenter@mining_1")
    assert "predict@mining_1" in again and "train_segmenter@mining_1" not in again
    run(project, "wsss", "rows", "--methods", "mining")
    edit_params(project, lambda params: params["predict"].pop("crf"))


def test_boxes_a_few_masks_and_a_second_data_set(project):
    second = {
        "sources": {"main": {"root": "data/scenes/easy", "layout": "voc", "tags": "json", "splits": {"train": "*"}}}
    }
    edit_params(project, lambda params: params["ingest"].update(second=second))
    run(project, "wsss", "rows", "--methods", "mining,em", "--strong", "2")
    ran = repro(project, "evaluate@box_seg_2", "train_em@cross_weak")
    run_of_boxes = ["box_labels@seg", "train_em@box_seg_2", "predict@box_seg_2", "evaluate@box_seg_2"]
    assert sorted(ran) == sorted([*run_of_boxes, "ingest@second", "train_em@cross_weak"])
    boxed = wsss_core.open(project / "data/box_labels/seg")
    assert len(boxed) == 12 and set(boxed.table["split"]) == {"train"}
    log = pd.read_csv(project / "data/segmenters/box_seg_2/loss.csv")
    assert list(log) == ["step", "images", "lr", "cross_entropy", "total"]  # labels for all: no E-step
    assert "share_background" in pd.read_csv(project / "data/segmenters/cross_weak/loss.csv")
    edit_params(project, lambda params: params["train_em"]["em_adapt"].update(head="largefov", width=8))
    assert repro(project, "train_em@em_adapt", "train_em@em_adapt_2") == ["train_em@em_adapt", "train_em@em_adapt_2"]
    saved = [
        json.loads((project / f"data/segmenters/{run}/model.json").read_text()) for run in ("em_adapt", "em_adapt_2")
    ]
    assert [each["field_of_view"] for each in saved] == [128, 224]  # tags alone; two masks beside them
    too_many = run(project, "wsss", "rows", "--strong", "13") + run(project, "dvc", "repro", "train_em@strong_13")
    assert "error: train_em: data/dataset: 13 images with masks asked for; 12 to train on have one" in too_many
    edit_params(project, lambda params: params["train_em"]["em_adapt"].update(head="pyramid", field_of_view=128))
    unused = run(project, "dvc", "repro", "train_em@em_adapt")
    assert "error: train_em: train_em.em_adapt: field_of_view: the head pyramid has none to set" in unused
    edit_params(project, lambda params: params["train_em"]["em_adapt"].pop("field_of_view"))
    run(project, "wsss", "rows", "--methods", "mining", "--strong", "50")
    edit_params(project, lambda params: (params["predict"].pop("crf", None), params["ingest"].pop("second")))


def test_joint_training_on_adapted_cues(project):
    run(project, "wsss", "rows", "--methods", "mining,dcsp")
    edit_params(project, lambda params: params["train_attention"]["fcan"].update(images_seen=8, width=16))
    ran = repro(project, "evaluate@dcsp_1", "evaluate@posteriors_dcsp_1")
    chain = ["train_attention@fcan", "attention@fcan", "mine_cues@dcsp", "train_segmenter@dcsp_0", "estep@dcsp_1"]
    chain += ["evaluate@posteriors_dcsp_1", "train_segmenter@dcsp_1", "predict@dcsp_1", "evaluate@dcsp_1"]
    assert sorted(ran) == sorted(chain)
    log = pd.read_csv(project / "data/segmenters/dcsp_1/loss.csv")
    assert list(log) == ["step", "images", "lr", "cross_entropy", "classes", "total"]
    edit_params(project, lambda params: params.update(cue_map={"scales": [1.0]}))
    inputs = ["--dataset", "data/dataset", "--saliency", "data/saliency", "--net", "data/attention_nets/fcan"]
    run(project, sys.executable, "-m", "stages.cue_map", *inputs, "--out", "data/cue_map")
    guessed = wsss_core.open(project / "data/cue_map")
    assert (
        set(guessed.table["split"]) == {"val"} and np.unique(guessed[guessed.table["image_id"][0]]["labels"]).size > 1
    )
    adapted = wsss_core.open(project / "data/posteriors/dcsp_1")
    for image_id, class_ids in adapted.table.set_index("image_id")["class_ids"].items():
        assert set(np.unique(adapted[image_id]["labels"])) <= {0, *class_ids}
    run(project, "wsss", "rows", "--methods", "mining")

    def back(params):
        del params["cue_map"]
        for stage, name in (("train_attention", "fcan"), ("attention", "fcan"), ("mine_cues", "dcsp")):
            del params[stage][name]

    edit_params(project, back)
    run(project, "wsss", "rows")


def test_a_step_of_affinity_learning_feeds_the_next(project):
    run(project, "wsss", "rows", "--methods", "mining,affinity", "--steps", "2")
    edit_params(project, lambda params: params["mine_regions"]["affinity"].update(confidence=0.0))  # raw networks
    ran = repro(project, "evaluate@affinity_2_spn", "evaluate@refined_affinity_1", "evaluate@regions_affinity_1")
    for t in (1, 2):
        chain = ["train_segmenter@affinity_{}", "estep@affinity_{}", "train_regions@affinity_{}"]
        chain += ["mine_regions@affinity_{}", "train_affinity@affinity_{}_spn"] + ["refine@affinity_{}"] * (t == 1)
        places = [ran.index(stage.format(t)) for stage in chain]
        assert places == sorted(places)
    assert ran.index("refine@affinity_1") < ran.index("train_segmenter@affinity_2")
    edit_params(project, lambda params: params["mine_regions"]["affinity"].update(confidence=0.3))
    assert repro(project, "mine_regions@affinity_1") == ["mine_regions@affinity_1"]  # judged anew by the same network
    edit_params(project, lambda params: params["mine_regions"]["affinity"].update(confidence=0.0))
    edit_params(project, lambda params: params["train_affinity"]["affinity"].update(propagated="logits"))
    again = repro(project, "evaluate@refined_affinity_1")
    assert again[0] == "train_affinity@affinity_1_spn" and "mine_regions@affinity_1" not in again
    regions, refined = (wsss_core.open(project / f"data/{name}/affinity_1") for name in ("regions", "refined"))
    superpixels = wsss_core.open(project / "data/superpixels")
    for row in refined.table.itertuples():
        mined, numbers = regions[row.image_id]["labels"], superpixels[row.image_id]["superpixels"]
        assert set(np.unique(refined[row.image_id]["labels"])) <= {0, *row.class_ids}
        assert set(np.unique(mined)) <= {0, 255, *row.class_ids}
        assert len(np.unique(numbers.astype(int) * 256 + mined)) == len(np.unique(numbers))  # one label per superpixel
        assert refined[row.image_id]["affinity"].shape == (row.height, row.width)
    scores = json.loads((project / "reports/labels/refined_affinity_1.json").read_text())
    compared = refined.table[refined.table["split"] == "train"].dropna(subset=["energy_mined"])
    assert scores["splits"]["train"]["energy"] == pytest.approx(compared["energy"].mean())
    log = pd.read_csv(project / "data/segmenters/affinity_1_spn/loss.csv")
    assert list(log) == ["step", "images", "lr", "log_likelihood", "smoothness", "total"]
    saved = {t: project / f"data/segmenters/affinity_{t}_spn/model.json" for t in (1, 2)}
    kinds = {t: json.loads(file.read_text())["propagated"] for t, file in saved.items()}
    assert kinds == {1: "logits", 2: "probabilities"}  # step 2 has not been asked for again
    run(project, "wsss", "rows", "--methods", "mining")
    run(project, "wsss", "rows")


def test_a_walk_of_the_affinity_ablations_is_changed_without_training(project):
    run(project, "wsss", "rows", "--methods", "mining,affinity", "--steps", "1", "--ablations")
    assert repro(project, "walk@psa_1") == ["train_pixel_features@psa_1", "walk@psa_1"]
    saved = json.loads((project / "data/pixel_feature_nets/psa_1/model.json").read_text())
    assert (saved["kind"], saved["radius"]) == ("pixel_features", 5)
    walked, attention = (wsss_core.open(project / f"data/{name}") for name in ("walks/psa_1", "attention/cam"))
    for row in walked.table.itertuples():
        assert set(np.unique(walked[row.image_id]["labels"])) <= {0, *row.class_ids}
        assert walked[row.image_id]["attention"].shape == attention[row.image_id]["attention"].shape
    edit_params(project, lambda params: params["walk"]["psa"].update(beta=4))
    assert repro(project, "mine_cues@psa_1") == ["walk@psa_1", "mine_cues@psa_1"]
    run(project, "wsss", "rows", "--methods", "mining", "--no-ablations")


def test_a_comment_changes_nothing(project):
    repro(project)  # what the tests before this one on its worker left stale
    text = (project / "params.yaml").read_text()
    (project / "params.yaml").write_text(f"# a remark\n{text}")
    assert repro(project) == []


def start_training(project: Path, out: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "stages.train_segmenter", "--settings", "mining_1", "--seed", "0"]
    command += ["--dataset", "data/dataset", "--labels", "data/posteriors/mining_1"]
    command += ["--start", "data/segmenters/mining_0", "--out", out]
    return subprocess.Popen(
        command,
        cwd=project,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_ctrl_c,
    )


def heed_ctrl_c() -> None:
    """Tests that a shell started in its background ignore Ctrl-C, and so would their children."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def train(project: Path, out: str) -> tuple[int, str]:
    """Exit code and what it said."""
    with start_training(project, out) as process:
        _, errors = process.communicate()
    return process.returncode, errors


@pytest.mark.parametrize("kill", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_training_continues_to_the_same_bytes(project, kill):
    def longer(params):
        params["training"]["checkpoint_every"] = 1
        params["train_segmenter"]["mining_1"]["images_seen"] = 24

    def back(params):
        del params["training"]["checkpoint_every"]
        del params["train_segmenter"]["mining_1"]["images_seen"]

    edit_params(project, longer)
    try:
        assert train(project, "data/straight")[0] == 0
        with start_training(project, "data/resumed") as process:
            while not (saved := list((project / "data/.work").glob("data.resumed-*.ckpt"))) and process.poll() is None:
                time.sleep(0.02)
            process.send_signal(kill)
            process.communicate()
        assert saved
        assert not (project / "data/resumed").exists()
        assert train(project, "data/resumed")[0] == 0
        assert same_files(project / "data/straight", project / "data/resumed")
    finally:
        edit_params(project, back)
        run(project, "rm", "-rf", "data/straight", "data/resumed")


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda p: p["train_segmenter"]["mining_1"].update(etaa=1), "train_segmenter.mining_1.etaa: unknown key"),
        (lambda p: p["budget"].update(size="big"), "budget.size: expected a whole number, found 'big'"),
        (lambda p: p["training"].update(lr=-1), "training: lr must be greater than 0"),
    ],
)
def test_a_mistake_in_params_is_one_line_and_leaves_nothing(project, edit, message):
    before = (project / "params.yaml").read_text()
    edit_params(project, edit)
    try:
        code, errors = train(project, "data/refused")
        assert code == 1
        assert message in errors.splitlines()[-1]
        assert not (project / "data/refused").exists()
    finally:
        (project / "params.yaml").write_text(before)


def test_the_same_stage_gives_the_same_bytes_again(project):
    for name in ("saliency", "attention/cam", "posteriors/mining_1"):
        (project / f"data/{name}").rename(project / f"data/first.{name.replace('/', '.')}")
    commands = {
        "saliency": ["saliency", "--detector", "data/saliency_net"],
        "attention/cam": ["attention", "--settings", "cam", "--net", "data/attention_nets/cam"],
        "posteriors/mining_1": [
            "estep",
            "--settings",
            "class_restricted",
            "--segmenter",
            "data/segmenters/mining_0",
            "--cues",
            "data/cues/max",
        ],
    }
    for name, (stage, *arguments) in commands.items():
        out = f"data/{name}"
        printed = run(
            project, sys.executable, "-m", f"stages.{stage}", "--dataset", "data/dataset", *arguments, "--out", out
        )
        assert same_files(project / out, project / f"data/first.{name.replace('/', '.')}"), printed
