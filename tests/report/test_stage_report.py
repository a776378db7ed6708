"""The stage report on a project in miniature."""

import copy
import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from ruamel.yaml import YAML

from stages.evaluate import main as evaluate
from stages.report import main
from wsss_core.data.dataset import Dataset
from wsss_core.report.thumbnails import photo_uri
from wsss_core.rows.em import em_row
from wsss_core.stage import InputError

ROOT = Path(__file__).resolve().parents[2]
PREDICTED = {"a": [[0, 1, 1, 1], [0, 0, 0, 1]], "b": [[2, 2, 2, 2], [0, 0, 0, 0]]}
CUES = {"c": [[0, 2, 255, 255], [2, 2, 2, 2]], "d": [[0] * 4] * 2}
ATTENTION = {"c": [[[51, 153, 102, 255], [255] * 4]], "d": [[[0] * 4] * 2] * 2}
POSTERIOR = {"d": [[[9] * 4] * 2] * 3}
SALIENCY = {"a": [[[0] * 4] * 2, [[0, 255, 255, 255], [0] * 4]]}
BUDGET = "budget: {size: 128, images_seen: 20}\n"
ROWS = {
    "crf_searches": {},
    "runs": {"mining_0": {"start": "backbones/lite0"}, "mining_1": {"start": "segmenters/mining_0"}},
    "em_runs": {},
    "affinities": {},
    "chains": {},
    "combined": {"combined": [{"run": "mining_0", "part": "<i>first</i>"}, {"run": "mining_1", "part": "then"}]},
    "main_runs": {"mining pixels": ["mining_0", "mining_1"], "combination": ["mining_0", "mining_1"]},
    "segmenters": {"mining_0": {"seed": 0}, "mining_1": {"seed": 0}},
    "evaluations": {
        "saliency": {"kind": "erasing", "store": "saliency"},
        "attention_fcan": {"kind": "curves", "store": "attention/fcan"},
        "cues_max": {"kind": "labels", "store": "cues/max"},
        "mining_0": {"kind": "runs", "store": "predictions/mining_0"},
        "mining_1": {"kind": "runs", "store": "predictions/mining_1"},
    },
    "panels": [
        {"title": "saliency", "store": "saliency"},
        {"title": "attention", "store": "attention/fcan"},
        {"title": "mined pixels", "store": "cues/max"},
        {"title": "EM 1 posterior", "store": "posteriors/mining_1"},
        {"title": "initial <i>model</i>", "store": "predictions/mining_0"},
        {"title": "EM 1", "store": "predictions/mining_1"},
    ],
}
SCORES = {"per_class": {"background": 0.5, "cat": 0.5, "dog": 0.5}, "pixel_accuracy": 0.5, "images": 2}


@pytest.fixture
def project(store, dataset):
    """Everything but `mining_1`'s predictions and their evaluation, as after an interrupted run."""

    def build(*, masks: bool = True) -> Path:
        truth = dataset(masks=masks)
        store("saliency", "saliency", SALIENCY)
        store("attention/fcan", "attention", ATTENTION)
        store("cues/max", "labels", CUES)
        store("posteriors/mining_1", "posterior", POSTERIOR)
        store("predictions/mining_0", "labels", PREDICTED)
        for name, row in list(ROWS["evaluations"].items())[:-1]:
            out = Path("reports", row["kind"], f"{name}.json")
            evaluate(store=Path("data", row["store"]), truth=truth, kind=row["kind"], out=out)
        Path("reports/runs/removed.json").write_text('{"splits": {"val": {"miou": 0.99}}}')
        loss = Path("data/segmenters/mining_0/loss.csv")
        loss.parent.mkdir(parents=True)
        loss.write_text("step,images,lr,ce,total\n1,10,0.1,2.0,2.5\n2,20,0.1,1.0,1.5\n")
        (loss.parent / "model.json").write_text('{"kind": "segmenter", "backbone": "<i>lite0</i>"}')
        (loss.parent / "training.json").write_text('{"photos": 12}')
        figures = Path("data/saliency_net/metrics.json")
        figures.parent.mkdir()
        figures.write_text('{"val": {"mae": 0.07314}}')
        Path("data/.work/costs").mkdir(parents=True)
        noted = {"stage": "train_segmenter", "out": "data/segmenters/mining_0", "seconds": 61.25, "peak_mib": 700}
        Path("data/.work/costs/mining_0.json").write_text(json.dumps(noted))
        Path("dvc.yaml").write_text("stages: {}\n")
        Path("stages").mkdir()
        YAML().dump(ROWS, Path("stages/rows.yaml"))
        Path("params.yaml").write_text(BUDGET + "report: {images: 4, splits: [val, train], seed: 0, thumb: 64}\n")
        return Path("reports")

    return build


def written(out: Path) -> dict[str, bytes]:
    main(out=out)
    files = [out / name for name in ("index.html", "metrics.json", "claims.json", "summary.json")]
    return {path.name: path.read_bytes() for path in [*files, *sorted((out / "plots").iterdir())]}


def test_figures_are_those_of_the_rows_alone(project):
    files = written(project())
    assert json.loads(files["summary.json"]) == {"mining_0": {"val_miou": pytest.approx(4 / 9)}}
    metrics = json.loads(files["metrics.json"])
    assert list(metrics) == ["runs", "labels"]
    assert list(metrics["runs"]) == ["mining_0"]
    assert set(metrics["runs"]["mining_0"]["val"]) == {"miou", "per_class", "pixel_accuracy", "images"}
    assert metrics["labels"]["cues_max"]["train"] == pytest.approx(
        {"miou": 3 / 4, "precision": 1.0, "recall": 3 / 4, "coverage": 2 / 3}
    )


def test_plots_are_wide_tables(project):
    out = project()
    written(out)
    loss, curve, iterations = (pd.read_csv(out / f"plots/{name}.csv") for name in ("loss", "curve", "iterations"))
    assert loss.to_dict("list") == {"images": [10, 20], "mining_0": [2.5, 1.5]}
    assert list(curve) == ["threshold", "attention_fcan_train"] and len(curve) == 101
    assert iterations.to_dict("list") == {"run": ["mining_0"], "val_miou": [pytest.approx(4 / 9)]}


def test_every_image_has_a_step_for_each_artifact_that_holds_it(project):
    page = written(project())["index.html"].decode()
    steps = {
        image: re.findall(r'<option value="(\d)" label="([^"]*)"', part)
        for image, part in re.findall(r"<h4>(\w) .*?(<datalist.*?</datalist>)", page, re.DOTALL)
    }
    model = "initial &lt;i&gt;model&lt;/i&gt;"
    captions = {
        "a": ["photo", "saliency S1", "saliency S2", model, "truth"],
        "b": ["photo", model, "truth"],
        "c": ["photo", "attention: dog", "mined pixels", "truth"],
        "d": ["photo", "attention: &lt;b&gt;cat&lt;/b&gt;", "attention: dog", "mined pixels", "EM 1 posterior"],
    }
    assert steps == {image: [(str(i), c) for i, c in enumerate(found)] for image, found in captions.items()}
    lacking = "<summary>Not made for this image: 4</summary>"
    assert f'{lacking}<p class="note">saliency, {model}, EM 1, truth</p></details>' in page  # d


def test_sliders_open_at_the_best_main_run_and_its_labels(project):
    out, rows = project(), copy.deepcopy(ROWS)
    rows["panels"] += [{"title": "a variant", "store": store} for store in ("cues/max", "predictions/mining_0")]
    YAML().dump(rows, Path("stages/rows.yaml"))
    page = written(out)["index.html"].decode()
    opened = dict(zip("abcd", re.findall(r'<span class="caption">([^<]*)</span>', page), strict=True))
    model = "initial &lt;i&gt;model&lt;/i&gt;"
    assert opened == {"a": model, "b": model, "c": "mined pixels", "d": "EM 1 posterior"}


def test_a_verdict_stands_beside_its_claim(project):
    page = written(project())["index.html"].decode()
    heads = re.search(r'<table class="claims">\s*<thead>(.*?)</thead>', page, re.DOTALL)[1]
    assert re.findall(r">([a-z]+)<", heads) == ["claim", "verdict", "statement", "paper", "ours"]
    assert '<th scope="row">C1</th><td><b>not decided</b>' in page


def test_an_image_under_several_headings_is_stored_once(project):
    page = written(project())["index.html"].decode()
    assert page.count("<article") == 4
    assert page.count('id="image-0"') == 1
    a, b = '<a href="#image-0">a</a>', '<a href="#image-1">b</a>'
    assert f"<h3>val, where erasing helped most</h3>\n<p>Above: {a}.</p>" in page and "hurt most" not in page
    assert f"<h3>mining pixels: mining_0 on val</h3>\n<p>Above: {b}, mIoU 25.0; {a}, mIoU 55.0.</p>" in page
    uris = re.findall(r'src="(data:image/jpeg[^"]*)"', page)
    assert len(uris) == len(set(uris)) == 4


def test_each_image_has_its_own_photo(project):
    page = written(project())["index.html"].decode()
    dataset = Dataset(Path("data/dataset"))
    for row, image_id in enumerate(dataset.table["image_id"]):
        assert f'<img src="{photo_uri(dataset.photo(row))}" alt="photo {image_id}">' in page


def test_the_page_reads_from_what_was_run_to_what_it_cost(project):
    page = written(project())["index.html"].decode()
    order = ["run", "ranking", "classes", "curves", "labels", "claims", "gallery", "worst", "costs"]
    assert re.findall(r'<section id="(\w+)">', page) == order == re.findall(r'<a href="#([a-z]+)">', page)


def test_a_run_over_one_seed_says_so(project):
    page = written(project())["index.html"].decode()
    assert "<b>44.4</b></td><td>one seed</td><td>60.0</td>" in page


def test_page_has_the_numbers_for_people(project):
    page = written(project())["index.html"].decode()
    assert "<b>44.4</b>" in page and "60.0" in page  # mIoU 4/9, pixel accuracy 9/15
    assert "not comparable" in page and "53.5" in page
    assert "val.mae" in page and "0.07314" in page
    assert "removed" not in page


def test_page_and_file_have_every_claim_with_its_verdict(project):
    files = written(project())
    claims = json.loads(files["claims.json"])
    assert [claim["id"] for claim in claims] == [f"C{n}" for n in range(1, 29)]
    assert claims[4]["verdict"] == "not decided" and claims[4]["reason"] == "missing: mining_1, mining_2"
    assert claims[4]["ours"][0]["values"] == {"mining_1": [], "mining_0": [44.444]}
    page = files["index.html"].decode()
    assert page.count("<b>not decided</b>") == 28
    assert "missing: mining_1, mining_2" in page and "53.5 → 56.3" in page


def test_page_shows_figures_and_differences_of_all_seeds(project):
    out, rows = project(), copy.deepcopy(ROWS)
    for name, miou in (("mining_0", 0.2), ("mining_0_s1", 0.25), ("mining_1", 0.3), ("mining_1_s1", 0.36)):
        (out / f"runs/{name}.json").write_text(json.dumps({"splits": {"val": SCORES | {"miou": miou}}}))
        rows["evaluations"][name] = {"kind": "runs", "store": f"predictions/{name}"}
    YAML().dump(rows, Path("stages/rows.yaml"))
    page = written(out)["index.html"].decode()
    assert "<b>33.0 ± 4.2</b></td><td>2 seeds</td>" in page and "22.5 ± 3.5" in page
    assert "mining_1 33.0 − mining_0 22.5: +10.5 ± 1.4 over 2 seeds, expected &gt; 0" in page


def test_charts_show_the_main_runs_and_the_gallerys_e_steps_and_files_all(project):
    out, rows = project(), copy.deepcopy(ROWS)
    for name in ("em_adapt", "em_adapt_s1", "em_fixed"):
        rows["em_runs"][name] = em_row(name, start="backbones/lite0", seed=0)
        rows["segmenters"][name] = {"seed": 0}
        Path(f"data/segmenters/{name}").mkdir(parents=True)
        Path(f"data/segmenters/{name}/loss.csv").write_text("step,images,total,share_background\n1,10,1.5,0.5\n")
    rows["main_runs"]["EM with biases"] = ["em_adapt"]
    rows["panels"].append({"title": "em_adapt", "store": "predictions/em_adapt"})
    YAML().dump(rows, Path("stages/rows.yaml"))
    files = written(out)
    charts = {
        title: re.findall(r"<title>([^<]+)</title>", part)
        for title, part in re.findall(
            r"<figcaption>([^<]+)</figcaption>\s*<svg(.*?)</svg>", files["index.html"].decode(), re.DOTALL
        )
    }
    assert charts["Training loss"] == ["mining_0", "em_adapt"]
    assert charts["Background in the E-step"] == ["em_adapt"]
    assert [title for title in charts if title.startswith("E-step of")] == ["E-step of em_adapt"]
    trained = ["mining_0", "em_adapt", "em_adapt_s1", "em_fixed"]
    assert list(pd.read_csv(out / "plots/loss.csv")) == ["images", *trained]
    assert list(pd.read_csv(out / "plots/shares.csv")) == ["images", *(f"{run} background" for run in trained[1:])]


def test_page_has_the_budget_of_the_main_runs(project):
    page = written(project())["index.html"].decode()
    assert "<td>mining_0</td><td>&lt;i&gt;lite0&lt;/i&gt;</td><td>128</td><td>12</td><td>20</td>" in page
    assert "Equal for all methods." in page  # mining pixels, and a combination that is the same run
    assert '<th scope="row">mining_0</th><td>&lt;i&gt;first&lt;/i&gt;</td>' in page


def test_budget_and_claims_follow_the_rows(project):
    out, rows = project(), copy.deepcopy(ROWS)
    rows["runs"]["mining_0"]["start"] = "segmenters/before"
    rows["em_runs"]["masks"] = em_row("strong_only", start="backbones/lite0", seed=0, strong=50)
    YAML().dump(rows, Path("stages/rows.yaml"))
    shutil.copytree("data/segmenters/mining_0", "data/segmenters/before")
    files = written(out)
    assert "<td>12</td><td>40</td>" in files["index.html"].decode()  # 20 images each
    assert json.loads(files["claims.json"])[1]["reason"] == "missing: em_fixed_50, em_adapt_50"


def test_names_are_escaped(project):
    page = written(project())["index.html"].decode()
    assert "&lt;b&gt;cat&lt;/b&gt;" in page and "initial &lt;i&gt;model&lt;/i&gt;" in page
    assert "<b>cat" not in page and "<i>model" not in page


def test_page_needs_no_other_file_but_links_the_costs(project):
    page = written(project())["index.html"].decode()
    assert re.findall(r'(?:src|href)="(?!data:image/|#)[^>]*>', page) == ['href="costs.html">']
    assert "Time, peak memory and bytes of every stage</a>" in page
    assert "url(" not in page and "@import" not in page


def test_bytes_repeat(project):
    out = project()
    assert written(out) == written(out)


def test_costs_lie_beside_the_page_and_no_time_is_in_it(project):
    out = project()
    before = written(out)
    stages = json.loads((out / "costs.json").read_text())["stages"]
    size = sum(file.stat().st_size for file in Path("data/segmenters/mining_0").iterdir())
    noted = {"stage": "train_segmenter", "out": "data/segmenters/mining_0", "seconds": 61.25, "peak_mib": 700}
    assert stages == [{**noted, "bytes": size, "interrupted": False}]
    page = (out / "costs.html").read_text()
    assert "data/<wbr>segmenters/<wbr>mining_0</th><td>train_segmenter</td><td>61.2</td><td>700</td>" in page
    Path("data/.work/costs/mining_0.json").write_text(json.dumps(noted | {"seconds": 99}))
    assert written(out) == before
    assert "99.0" in (out / "costs.html").read_text()
    outs = YAML(typ="safe").load((ROOT / "dvc.yaml").read_text())["stages"]["report"]["outs"]
    assert not [name for name in outs if "costs" in name]


def test_a_data_set_without_masks_still_has_a_page(project):
    files = written(project(masks=False))
    assert json.loads(files["summary.json"]) == {}
    assert json.loads(files["metrics.json"]) == {"runs": {}, "labels": {}}
    page = files["index.html"].decode()
    assert page.count("Nothing to score") == 2
    assert "Nothing is scored." in page and "No method's main run is scored image by image." in page
    assert page.count("<article") == 4 and "truth of" not in page
    assert files["iterations.csv"] == b"run,val_miou\n"


def test_a_setting_out_of_range_names_its_key(project):
    out = project()
    Path("params.yaml").write_text(BUDGET + "report: {thumb: 4}\n")
    with pytest.raises(InputError, match=r"report: thumb must be in \[16, 1024\], got 4"):
        main(out=out)
