"""The stage report on a project in miniature."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest
from ruamel.yaml import YAML

from stages.evaluate import main as evaluate
from stages.report import main
from wsss_core.data.dataset import Dataset
from wsss_core.report.thumbnails import photo_uri
from wsss_core.stage import InputError

PREDICTED = {"a": [[0, 1, 1, 1], [0, 0, 0, 1]], "b": [[2, 2, 2, 2], [0, 0, 0, 0]]}
CUES = {"c": [[0, 2, 255, 255], [2, 2, 2, 2]], "d": [[0] * 4] * 2}
ATTENTION = {"c": [[[51, 153, 102, 255], [255] * 4]], "d": [[[0] * 4] * 2] * 2}
POSTERIOR = {"d": [[[9] * 4] * 2] * 3}
SALIENCY = {"a": [[[0] * 4] * 2, [[0, 255, 255, 255], [0] * 4]]}
ROWS = {
    "crf_searches": {},
    "em_runs": {},
    "chains": {},
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
        figures = Path("data/saliency_net/metrics.json")
        figures.parent.mkdir()
        figures.write_text('{"val": {"mae": 0.07314}}')
        Path("stages").mkdir()
        YAML().dump(ROWS, Path("stages/rows.yaml"))
        Path("params.yaml").write_text("report: {images: 4, splits: [val, train], seed: 0, thumb: 64}\n")
        return Path("reports")

    return build


def written(out: Path) -> dict[str, bytes]:
    main(out=out)
    files = [out / name for name in ("index.html", "metrics.json", "summary.json")]
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


def test_page_shows_every_panel_and_a_dash_for_what_is_absent(project):
    page = written(project())["index.html"].decode()
    assert page.count("<article") == 5
    assert page.count("a <span") == 2 and "val, where erasing helped most" in page and "hurt most" not in page
    assert all(f'alt="saliency S{step} of a"' in page for step in (1, 2))
    assert 'alt="attention: dog of c"' in page
    assert 'alt="EM 1 posterior of d"' in page
    assert 'alt="truth of c"' in page and 'alt="truth of d"' not in page
    # a: attention, cues, posterior, EM 1; b: also saliency; c: saliency, posterior, both models;
    # d: saliency, both models, truth
    assert page.count('<figure class="absent">') == 4 + 5 + 4 + 4


def test_each_row_has_its_own_photo(project):
    page = written(project())["index.html"].decode()
    dataset = Dataset(Path("data/dataset"))
    for row, image_id in enumerate(dataset.table["image_id"]):
        assert f'--photo:url({photo_uri(dataset.photo(row))})">\n<h4>{image_id} ' in page


def test_page_has_the_numbers_for_people(project):
    page = written(project())["index.html"].decode()
    assert "<b>44.4</b>" in page and "60.0" in page  # mIoU 4/9, pixel accuracy 9/15
    assert "not comparable" in page and "53.5" in page
    assert "val.mae" in page and "0.07314" in page
    assert "removed" not in page


def test_names_are_escaped(project):
    page = written(project())["index.html"].decode()
    assert "&lt;b&gt;cat&lt;/b&gt;" in page and "initial &lt;i&gt;model&lt;/i&gt;" in page
    assert "<b>cat" not in page and "<i>model" not in page


def test_page_needs_no_other_file(project):
    page = written(project())["index.html"].decode()
    assert re.findall(r'(?:src|href)="(?!data:image/|#)', page) == []
    assert set(re.findall(r"url\((.{11})", page)) == {"data:image/"}


def test_bytes_repeat(project):
    out = project()
    assert written(out) == written(out)


def test_a_data_set_without_masks_still_has_a_page(project):
    files = written(project(masks=False))
    assert json.loads(files["summary.json"]) == {}
    assert json.loads(files["metrics.json"]) == {"runs": {}, "labels": {}}
    page = files["index.html"].decode()
    assert page.count("Nothing to score") == 2
    assert page.count("<article") == 4 and "truth of" not in page
    assert files["iterations.csv"] == b"run,val_miou\n"


def test_a_setting_out_of_range_names_its_key(project):
    out = project()
    Path("params.yaml").write_text("report: {thumb: 4}\n")
    with pytest.raises(InputError, match=r"report: thumb must be in \[16, 1024\], got 4"):
        main(out=out)
