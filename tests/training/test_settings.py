"""Settings of a training: checked when they are read."""

import pytest

from wsss_core.data.budget import Budget
from wsss_core.stage import InputError, bind
from wsss_core.training.settings import TrainingSettings


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"lr": 0.0}, "lr must be greater than 0, got 0.0"),
        ({"lr": float("nan")}, "lr must be greater than 0"),
        ({"batch": 0}, "batch must be at least 1"),
        ({"accumulate": 0}, "accumulate must be at least 1"),
        ({"checkpoint_every": 0}, "checkpoint_every must be at least 1"),
        ({"workers": -1}, "workers must be at least 0"),
        ({"weight_decay": -0.1}, "weight_decay must be at least 0"),
        ({"momentum": 1.0}, "momentum must lie in"),
        ({"warmup": 1.0}, "warmup must lie in"),
        ({"step_every": 0.0}, "step_every is a share"),
        ({"scale": [1.5, 0.5]}, "scale must be"),
        ({"optimizer": "adam"}, "'adam' is not one of"),
        ({"schedule": "cosine"}, "'cosine' is not one of"),
    ],
)
def test_impossible_settings_name_their_section(given, message):
    with pytest.raises(InputError, match=message) as error:
        bind(TrainingSettings, given, "training")
    assert "training" in str(error.value)


def test_a_list_from_the_file_is_a_scale_for_cutting():
    settings = bind(TrainingSettings, {"scale": [0.5, 2], "mirror": False}, "training")
    augment = settings.augment(Budget(size=190, images_seen=1), 16)
    assert (augment.size, augment.crop, augment.scale, augment.mirror) == (190, 193, (0.5, 2.0), False)


def test_the_crop_may_be_smaller_than_the_photo():
    augment = TrainingSettings().augment(Budget(size=500, crop=321, images_seen=1), 8)
    assert (augment.size, augment.crop) == (500, 321)
