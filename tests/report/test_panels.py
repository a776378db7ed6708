import numpy as np
import pandas as pd
import pytest

from wsss_core.report.panels import store_panels
from wsss_core.stores import ArraySpec, Store, StoreError, write_store

CLASSES = ("background", "<b>cat</b>", "dog")


def captions(store: Store | None, image_id: str) -> list[tuple[str, bool]]:
    return [(p.caption, p.uri is not None) for p in store_panels("title", store, image_id, CLASSES, thumb=16)]


def test_one_panel_for_each_present_class_or_step(store):
    attention = Store(store("attention", "attention", {"d": [[[1] * 4] * 2] * 2, "c": [[[1] * 4] * 2]}))
    saliency = Store(store("saliency", "saliency", {"d": [[[1] * 4] * 2] * 2}))
    assert captions(attention, "d") == [("title: <b>cat</b>", True), ("title: dog", True)]
    assert captions(attention, "c") == [("title: dog", True)]
    assert captions(saliency, "d") == [("title S1", True), ("title S2", True)]


def test_affinities_stand_beside_the_labels(store, tmp_path):
    specs = {"labels": ArraySpec.labels((2, 4)), "affinity": ArraySpec.soft(("y", "x"), (2, 4))}
    table = pd.DataFrame({"image_id": ["c"], "split": ["train"], "height": [2], "width": [4]})
    arrays = {name: [np.zeros((2, 4), np.uint8)] for name in specs}
    write_store(tmp_path / "r", lambda _: (arrays, [{}]), table=table, arrays=specs, key="x")
    assert captions(Store(tmp_path / "r"), "c") == [("title", True), ("title: affinity", True)]


def test_a_posterior_looks_like_the_labels_it_stands_for(store):
    posterior = Store(store("posterior", "posterior", {"c": [[[9, 1, 1, 1]] * 2, [[1, 9, 9, 9]] * 2]}))
    labels = Store(store("labels", "labels", {"c": [[0, 2, 2, 2]] * 2}))
    assert store_panels("t", posterior, "c", CLASSES, thumb=16) == store_panels("t", labels, "c", CLASSES, thumb=16)


def test_what_is_not_there_is_an_empty_panel(store):
    labels = Store(store("labels", "labels", {"c": [[0, 2, 2, 2]] * 2}))
    assert captions(labels, "a") == [("title", False)]
    assert captions(None, "c") == [("title", False)]


def test_an_artifact_without_maps_is_refused(dataset):
    photos = Store(dataset() / "photos")
    with pytest.raises(StoreError, match="holds photo; the report shows labels"):
        store_panels("title", photos, "a", CLASSES, thumb=16)
