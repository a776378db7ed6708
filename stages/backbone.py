"""The ImageNet weights from which every network starts."""

from pathlib import Path

from wsss_core.models.backbone import make_backbone
from wsss_core.models.imagenet import imagenet_weights
from wsss_core.models.saved import save_model
from wsss_core.stage import bind, load_params, section, whole_folder
from wsss_core.stage.command import run


def main(*, settings: str, out: Path) -> None:
    name = f"backbone.{settings}"
    chosen = section(load_params(), name)
    with whole_folder(out) as folder:
        bind(store_backbone, chosen, name, folder=folder)


def store_backbone(*, name: str, output_stride: int, folder: Path, weights: Path | None = None) -> None:
    """Section `backbone`: the network, its output stride, and a file of weights where none can be had otherwise."""
    backbone = make_backbone(name, output_stride=output_stride)
    tensors, head = imagenet_weights(name, weights)
    backbone.load_state_dict(tensors)
    save_model(folder, backbone, {"kind": "backbone", "name": name, "output_stride": output_stride}, head=head)


if __name__ == "__main__":
    run(main, "backbone")
