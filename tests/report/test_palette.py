import numpy as np
import pytest

from wsss_core.report.palette import class_colours, css_colour, paint_heat, paint_labels


def test_colours_are_those_of_voc():
    known = {0: (0, 0, 0), 1: (128, 0, 0), 8: (64, 0, 0), 15: (192, 128, 128), 20: (0, 64, 128), 255: (224, 224, 192)}
    colours = class_colours()
    assert colours.shape == (256, 3) and colours.dtype == np.uint8
    assert {i: tuple(colours[i].tolist()) for i in known} == known
    assert len(np.unique(colours, axis=0)) == 256
    assert css_colour(15) == "#c08080"


def test_unlabelled_pixels_are_hatched_and_the_rest_is_not():
    labels = np.full((8, 8), 255, np.uint8)
    labels[0, 0] = 1
    painted = paint_labels(labels)
    assert painted[0, 0].tolist() == [128, 0, 0]
    assert set(map(tuple, painted.reshape(-1, 3)[1:].tolist())) == {(214, 214, 214), (255, 255, 255)}


def test_heat_rises_from_black_to_light():
    heat = paint_heat(np.arange(256, dtype=np.uint8)[None])[0].astype(int)
    assert heat[0].max() < 8 and heat[-1].min() > 150
    assert heat[128, 0] > heat[128, 2]  # red, not blue, in the middle: RGB
    assert (np.diff(heat.sum(axis=1)) >= -3).all()


@pytest.mark.parametrize("paint", [paint_labels, paint_heat])
@pytest.mark.parametrize("array", [np.zeros((2, 2), np.float32), np.zeros((1, 2, 2), np.uint8)])
def test_other_arrays_are_refused(paint, array):
    with pytest.raises(ValueError, match="expected uint8"):
        paint(array)
