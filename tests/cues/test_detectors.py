"""Saliency from a network, from an ONNX file and from ready-made maps."""

import cv2
import numpy as np
import pytest
import torch

from wsss_core.cues.detectors import network_detector, onnx_detector, read_maps
from wsss_core.models.saved import save_model
from wsss_core.models.segmenter import make_segmenter
from wsss_core.stage import InputError

PHOTOS = [np.full((48, 64, 3), value, np.uint8) for value in (0, 255)]


def test_a_saved_network_gives_maps_of_the_photos_sizes(tmp_path):
    torch.manual_seed(0)
    arguments = {"backbone": "tf_efficientnet_lite0", "output_stride": 16, "head": "pyramid", "n_classes": 1}
    save_model(tmp_path, make_segmenter(**arguments), {"kind": "segmenter", **arguments})
    detect = network_detector(tmp_path, size=64, device=torch.device("cpu"))
    maps = detect([*PHOTOS, np.zeros((40, 30, 3), np.uint8)])
    assert [m.shape for m in maps] == [(48, 64), (48, 64), (40, 30)]
    assert all(0 <= m.min() <= m.max() <= 1 for m in maps)


def red_channel(path, scale: float = 1.0) -> None:
    """An ONNX detector that gives back the red channel as it came, in [0, 1] again."""
    onnx = pytest.importorskip("onnx")
    helper, numpy_helper = onnx.helper, onnx.numpy_helper
    weights = np.array([0.229, 0, 0], np.float32).reshape(1, 3, 1, 1) * scale
    bias = np.array([0.485], np.float32) * scale
    graph = helper.make_graph(
        [helper.make_node("Conv", ["image", "weights", "bias"], ["map"])],
        "red",
        [helper.make_tensor_value_info("image", onnx.TensorProto.FLOAT, [1, 3, 32, 32])],
        [helper.make_tensor_value_info("map", onnx.TensorProto.FLOAT, [1, 1, 32, 32])],
        [numpy_helper.from_array(weights, "weights"), numpy_helper.from_array(bias, "bias")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)


def test_an_onnx_detector_sees_rgb_normalised_as_for_imagenet(tmp_path):
    pytest.importorskip("onnxruntime")
    red_channel(tmp_path / "red.onnx")
    photo = np.zeros((48, 64, 3), np.uint8)
    photo[:, :32, 0] = 255
    (map_,) = onnx_detector(tmp_path / "red.onnx")([photo])
    assert map_.shape == (48, 64)
    assert map_[:, :28] == pytest.approx(1, abs=1e-4)
    assert map_[:, 36:] == pytest.approx(0, abs=1e-4)


def test_an_onnx_model_of_another_range_is_refused(tmp_path):
    pytest.importorskip("onnxruntime")
    red_channel(tmp_path / "red.onnx", scale=255)
    with pytest.raises(InputError, match=r"red.onnx: expected one map .* in \[0, 1\]"):
        onnx_detector(tmp_path / "red.onnx")(PHOTOS)
    (tmp_path / "no.onnx").write_bytes(b"no model")
    with pytest.raises(InputError, match=r"no.onnx: not a readable ONNX model"):
        onnx_detector(tmp_path / "no.onnx")


def test_ready_made_maps_are_read_by_image_id(tmp_path):
    map_ = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20
    cv2.imwrite(str(tmp_path / "a.png"), map_)
    (read,) = read_maps(tmp_path, ["a"], [(3, 4)])
    assert read == pytest.approx(map_ / 255)
    assert read.dtype == np.float32


@pytest.mark.parametrize(
    ("image_id", "size", "message"),
    [("b", (3, 4), r"b.png: missing or unreadable"), ("a", (4, 3), r"a.png: is \(4, 3\), its photo \(3, 4\)")],
)
def test_missing_and_misfitting_maps_are_named(tmp_path, image_id, size, message):
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((3, 4), np.uint8))
    with pytest.raises(InputError, match=message):
        read_maps(tmp_path, [image_id], [size])
