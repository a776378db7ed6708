"""Where an image's slider opens, and what it lacks."""

from pathlib import Path

import pytest

from wsss_core.data.dataset import Dataset
from wsss_core.report.gallery import draw_groups, opened_at
from wsss_core.report.ranking import Ranked
from wsss_core.report.seeds import Spread
from wsss_core.stores import Store

STORES = ["saliency", "predictions/a_1", "posteriors/b_1", "predictions/b_1", "predictions/ablation_1"]
HALF = Spread((0.5,))


def ranked(*names: str) -> list[Ranked]:
    return [Ranked(name, HALF, HALF, {}) for name in names]


@pytest.mark.parametrize(
    ("main", "best_first", "place"),
    [
        (["a_1", "b_1"], ["ablation_1", "a_1+crf", "a_1", "b_1"], 1),  # an ablation is no main run
        (["b_1", "a_1"], ["b_1", "a_1"], 3),
        (["b_1", "a_1"], [], 1),  # nothing is scored: the last main run
        (["c_1"], ["c_1", "a_1"], 4),  # none is shown: the last of all
        ([], ["a_1"], 4),
    ],
)
def test_sliders_open_at_the_best_main_run(main, best_first, place):
    assert opened_at(STORES, main, ranked(*best_first)) == place


@pytest.fixture
def shown(store, dataset):
    """Saliency of both images in two steps, predictions of `a` alone, mined pixels of `c` alone."""
    dataset()
    saliency = store("saliency", "saliency", {name: [[[1] * 4] * 2, [[2] * 4] * 2] for name in "ac"})
    predicted = store("predictions/a_1", "labels", {"a": [[1] * 4] * 2})
    mined = store("cues/max", "labels", {"c": [[2] * 4] * 2})
    stores = {"saliency": Store(saliency), "mined": Store(mined), "a 1": Store(predicted), "later": Store(predicted)}

    def draw(opened: int, more=()):
        chosen = {"val": {"a": ""}, "train": {"c": ""}}
        titled = [*stores.items(), *more]
        groups = draw_groups(Dataset(Path("data/dataset")), titled, chosen, thumb=16, opened=opened)
        return {image.image_id: image.viewer for images in groups.values() for image in images}

    return draw


def opens(viewer) -> str:
    return ["photo", *(step.caption for step in viewer.steps)][viewer.start]


def test_an_image_without_it_opens_at_what_was_made_last_before_it(shown):
    assert {name: opens(viewer) for name, viewer in shown(2).items()} == {"a": "a 1", "c": "mined"}
    # of several planes the first; and none before: the photo
    assert {name: opens(viewer) for name, viewer in shown(0).items()} == {"a": "saliency S1", "c": "saliency S1"}
    assert opens(shown(-1)["a"]) == "photo"


def test_what_an_image_lacks_is_named_once(shown):
    more = [("later", None), ("unary 1", None), ("unary 1", None), ("saliency S1", None)]
    viewers = shown(0, more)
    assert viewers["a"].absent == ["mined", "unary 1"]  # another artifact has it under the same name
    assert viewers["c"].absent == ["a 1", "later", "unary 1"]
