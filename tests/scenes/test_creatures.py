import numpy as np
import pytest

from wsss_core.scenes.creatures import COATS, CONTRAST, creature, standing_out
from wsss_core.scenes.sprite import silhouette


@pytest.mark.parametrize("backdrop", [[0.2, 0.2, 0.2], [0.5, 0.45, 0.4], [0.8, 0.75, 0.7]])
def test_coats_stand_out_from_the_backdrop_and_vary(backdrop):
    colours = np.stack([standing_out(np.random.default_rng(i), COATS, np.array(backdrop)) for i in range(60)])
    assert np.linalg.norm(colours - backdrop, axis=1).min() > CONTRAST
    assert colours.std(axis=0).min() > 0.05
    assert ((colours >= 0.05) & (colours <= 0.97)).all()


def test_without_a_contrasting_colour_the_farthest_is_taken():
    palette = np.array([[0.5, 0.5, 0.5], [0.6, 0.6, 0.6]])
    picked = [standing_out(np.random.default_rng(i), palette, np.full(3, 0.3)) for i in range(20)]
    assert np.mean(picked) > 0.55


@pytest.mark.parametrize("class_id", range(1, 9))
def test_every_class_adds_one_part_to_the_same_body(class_id):
    x, y = np.meshgrid(np.linspace(-3.2, 3.2, 200, dtype=np.float32), np.linspace(-3.2, 3.2, 200, dtype=np.float32))
    layers = creature(np.random.default_rng(6), class_id, np.full(3, 0.5))(x, y)
    other = creature(np.random.default_rng(6), class_id % 8 + 1, np.full(3, 0.5))(x, y)
    assert sum(layer.is_part for layer in layers) == 1
    np.testing.assert_array_equal(
        silhouette([layer for layer in layers if not layer.is_part]),
        silhouette([layer for layer in other if not layer.is_part]),
    )
    covered = silhouette(layers)
    edges = (covered[0], covered[-1], covered[:, 0], covered[:, -1])
    assert not any(edge.any() for edge in edges)
