import pytest

from wsss_core.report.choose import choose_images

COMMON = {f"common{i}": [1] for i in range(50)}


@pytest.mark.parametrize("seed", range(5))
def test_rare_classes_are_among_few_images(seed):
    chosen = choose_images({**COMMON, "rare": [2], "rarer": [3, 1]}, 3, seed=seed)
    assert {"rare", "rarer"} < set(chosen) and len(chosen) == 3


def test_the_seed_decides_and_the_order_given_does_not():
    names = dict(reversed(COMMON.items()))
    assert choose_images(COMMON, 6, seed=1) == choose_images(names, 6, seed=1)
    assert choose_images(COMMON, 6, seed=1) != choose_images(COMMON, 6, seed=2)


def test_images_are_distinct_and_all_taken_where_there_are_few():
    assert sorted(choose_images({"a": [1], "b": [], "c": [1, 2]}, 9, seed=0)) == ["a", "b", "c"]
    assert choose_images({}, 3, seed=0) == []


def test_untagged_images_come_last():
    assert "empty" not in choose_images({**COMMON, "empty": []}, 10, seed=0)
