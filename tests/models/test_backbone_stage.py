import torch

from stages.backbone import main
from wsss_core.models.imagenet import imagenet_weights
from wsss_core.models.saved import load_model

PARAMS = "backbone:\n  lite0: {name: tf_efficientnet_lite0, output_stride: 16, weights: null}\n"


def test_the_stage_stores_the_packages_weights(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(PARAMS)
    main(settings="lite0", out=tmp_path / "data/backbones/lite0")
    model, description = load_model(tmp_path / "data/backbones/lite0")
    assert description == {"kind": "backbone", "name": "tf_efficientnet_lite0", "output_stride": 16}
    expected, head = imagenet_weights("tf_efficientnet_lite0")
    assert head == {}
    assert all(torch.equal(tensor, expected[name]) for name, tensor in model.state_dict().items())
