"""The stage evaluate on images whose scores are counted by hand."""

import json
from pathlib import Path

import pytest

from stages.evaluate import main
from wsss_core.stage import InputError

PREDICTED = {"a": [[0, 1, 1, 1], [0, 0, 0, 1]], "b": [[2, 2, 2, 2], [0, 0, 0, 0]]}


def evaluated(store: Path, kind: str, truth: Path) -> dict:
    out = Path(f"reports/{kind}/name.json")
    main(store=store, truth=truth, kind=kind, out=out)
    return json.loads(out.read_text())


def test_predictions_of_a_split_are_scored_from_one_matrix(store, dataset):
    # background: 3 right, 4 true, 8 predicted; class 1: 2, 3, 3; class 2: 4, 8, 4; the pixel of 255 counts nowhere
    found = evaluated(store("predictions/run", "labels", PREDICTED), "runs", dataset())
    assert found["kind"] == "runs" and found["name"] == "name" and found["without_mask"] == 0
    assert list(found["splits"]) == ["val"]
    scores = found["splits"]["val"]
    assert scores["per_class"] == pytest.approx({"background": 1 / 3, "<b>cat</b>": 1 / 2, "dog": 1 / 2})
    assert scores["miou"] == pytest.approx(4 / 9)
    assert scores["pixel_accuracy"] == pytest.approx(9 / 15)
    assert scores["images"] == 2


def test_the_worst_images_of_a_run_come_first(store, dataset):
    # right of right, wrong and missed; a: background 3 of 5, class 1 2 of 4; b: class 2 4 of 8, background 0 of 4
    truth, predicted = dataset(), store("predictions/run", "labels", PREDICTED)
    worst = evaluated(predicted, "runs", truth)["splits"]["val"]["worst"]
    assert list(worst) == ["b", "a"]
    assert worst == pytest.approx({"b": (0 + 4 / 8) / 2, "a": (3 / 5 + 2 / 4) / 2})
    assert "worst" not in evaluated(predicted, "labels", truth)["splits"]["val"]


def test_unlabelled_pixels_miss_and_images_without_mask_are_counted(store, dataset):
    labels = {"c": [[0, 2, 255, 255], [2, 2, 2, 2]], "d": [[0] * 4] * 2}
    found = evaluated(store("cues/max", "labels", labels), "labels", dataset())
    scores = found["splits"]["train"]
    assert found["without_mask"] == 1 and scores["images"] == 1
    assert scores["coverage"] == pytest.approx(2 / 3)
    assert scores["precision"] == 1.0
    assert scores["recall"] == pytest.approx((1 + 1 / 2) / 2)
    assert scores["miou"] == pytest.approx((1 + 1 / 2) / 2)
    assert scores["never_labelled"] == 0


def test_energies_are_means_over_the_images_of_a_split_that_have_both(store, dataset):
    labels = {"c": [[0] * 4] * 2, "d": [[0] * 4] * 2}
    energies = {"energy": {"c": 0.25, "d": 0.75}, "energy_mined": {"c": 0.5, "d": None}}  # d has no confident region
    found = evaluated(store("refined/affinity_1", "labels", labels, **energies), "labels", dataset())
    assert (found["splits"]["train"]["energy"], found["splits"]["train"]["energy_mined"]) == (0.25, 0.5)


def test_splits_are_kept_apart_over_shards(store, dataset):
    right = {"a": [[0, 0, 1, 1], [0, 0, 1, 0]], "b": [[2] * 4] * 2, "c": [[2] * 4] * 2}
    splits = evaluated(store("predictions/run", "labels", right), "runs", dataset())["splits"]
    assert (splits["val"]["miou"], splits["val"]["images"], splits["train"]["images"]) == (1.0, 2, 1)
    assert splits["train"]["miou"] == pytest.approx((0 + 2 / 3) / 2)


def test_argmax_of_a_posterior_is_read_in_class_ids(store, dataset):
    posterior = {"c": [[[200, 55, 100, 0], [0] * 4], [[55, 200, 155, 0], [0] * 4]]}
    scores = evaluated(store("posteriors/em", "posterior", posterior), "labels", dataset())["splits"]["train"]
    assert scores["miou"] == 1.0
    assert scores["per_class"] == {"background": 1.0, "<b>cat</b>": None, "dog": 1.0}


def test_curve_has_its_steps_where_the_attention_lies(store, dataset):
    # truth of c: background, dog, dog with attention 0.2, 0.6, 0.4
    attention = {"c": [[[51, 153, 102, 255], [255] * 4]]}
    curve = evaluated(store("attention/fcan", "attention", attention), "curves", dataset())["splits"]["train"]
    miou = dict(zip(curve["thresholds"], curve["miou"], strict=True))
    assert [miou[t] for t in (0.0, 0.2, 0.21, 0.4, 0.41, 0.6, 0.61, 1.0)] == pytest.approx(
        [1 / 3, 1 / 3, 1, 1, 1 / 2, 1 / 2, 1 / 6, 1 / 6]
    )
    assert (curve["best_threshold"], curve["best_miou"]) == (0.21, 1.0)


@pytest.mark.parametrize("kind", ["runs", "labels"])
def test_a_data_set_without_masks_is_no_error(store, dataset, kind):
    found = evaluated(store("predictions/run", "labels", PREDICTED), kind, dataset(masks=False))
    assert found["splits"] == {} and found["without_mask"] == 2


@pytest.mark.parametrize(("kind", "array"), [("labels", "labels"), ("curves", "attention")])
def test_a_split_of_empty_masks_has_no_scores(store, dataset, kind, array):
    truth = store("empty", "labels", {"c": [[255] * 4] * 2})
    values = [[0] * 4] * 2 if array == "labels" else [[[0] * 4] * 2]
    assert evaluated(store("scored", array, {"c": values}), kind, truth)["splits"] == {}


def test_the_masks_may_be_named_themselves(store, dataset):
    truth, predicted = dataset(), store("predictions/run", "labels", PREDICTED)
    assert evaluated(predicted, "runs", truth) == evaluated(predicted, "runs", truth / "masks")


def test_a_wrong_path_of_the_truth_is_an_error(store):
    with pytest.raises(InputError, match="nowhere"):
        evaluated(store("predictions/run", "labels", PREDICTED), "runs", Path("data/nowhere"))


def test_other_classes_are_refused(store, dataset):
    predicted = store("predictions/run", "labels", PREDICTED, classes=["background", "dog", "cat"])
    with pytest.raises(InputError, match=r"predictions/run: made for the classes background, dog, cat"):
        evaluated(predicted, "runs", dataset())


def test_an_array_that_does_not_fit_the_kind_is_refused(store, dataset):
    with pytest.raises(InputError, match="holds labels, expected attention"):
        evaluated(store("cues/max", "labels", PREDICTED), "curves", dataset())


def test_an_unknown_kind_is_refused(store, dataset):
    with pytest.raises(InputError, match="--kind run: expected one of runs, labels, curves"):
        evaluated(store("cues/max", "labels", PREDICTED), "run", dataset())
