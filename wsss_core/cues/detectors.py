"""Where saliency comes from: the trained network, a folder of ready-made maps, or an ONNX file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch

from wsss_core.cues.saliency import Detect
from wsss_core.models.inference import infer_maps
from wsss_core.models.saved import load_segmenter
from wsss_core.stage import InputError

# What detectors exported from public saliency code expect: RGB in [0, 1], ImageNet mean and deviation.
MEAN = np.array([0.485, 0.456, 0.406], np.float32)
DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)


def network_detector(folder: Path, *, size: int, device: torch.device) -> Detect:
    """The trained detector in `folder`, run with the photos' long side at `size` pixels."""
    model, description = load_segmenter(folder)
    if description["n_classes"] != 1:
        raise InputError(f"{folder}: expected a saliency detector, found {description['n_classes']} classes")
    model = model.to(device)
    stride = model.output_stride

    def detect(photos: list[np.ndarray]) -> list[np.ndarray]:
        maps = infer_maps(model, photos, size=size, stride=stride, join="max", device=device, activation=torch.sigmoid)
        return [map_[0].cpu().numpy() for _, map_ in maps]

    return detect


def onnx_detector(file: Path) -> Detect:
    """A detector of any origin as ONNX.

    Its input is (1, 3, H, W), RGB normalised as for ImageNet, at 320 px where it takes any size; its first output
    (1, 1, h, w) in [0, 1].

    Raises:
        InputError: onnxruntime is not installed, or the file is not a model of this form.
    """
    try:
        import onnxruntime
    except ImportError:
        raise InputError(f"{file}: needs onnxruntime; pip install -e '.[onnx]'") from None
    try:
        session = onnxruntime.InferenceSession(str(file), providers=onnxruntime.get_available_providers())
    except Exception as error:
        raise InputError(f"{file}: not a readable ONNX model: {' '.join(str(error).split())}") from None
    (given,) = session.get_inputs()[:1]
    sides = [side if isinstance(side, int) else 320 for side in given.shape[2:]]

    def detect(photos: list[np.ndarray]) -> list[np.ndarray]:
        maps = []
        for photo in photos:
            small = cv2.resize(photo, (sides[1], sides[0]), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
            image = ((small - MEAN) / DEVIATION).transpose(2, 0, 1)[None]
            map_ = np.squeeze(session.run(None, {given.name: image})[0])
            if map_.ndim != 2 or map_.min() < -1e-3 or map_.max() > 1 + 1e-3:
                raise InputError(
                    f"{file}: expected one map (1, 1, h, w) in [0, 1] as the first output, got {map_.shape}"
                )
            maps.append(cv2.resize(np.clip(map_, 0, 1), photo.shape[1::-1], interpolation=cv2.INTER_LINEAR))
        return maps

    return detect


def read_maps(folder: Path, image_ids: Sequence[str], sizes: Sequence[tuple[int, int]]) -> list[np.ndarray]:
    """Ready-made grey maps `folder/<image_id>.png` (or .jpg) as float32 (H, W) in [0, 1].

    Raises:
        InputError: a map is missing, unreadable, or of another size than its photo.
    """
    maps = []
    for image_id, size in zip(image_ids, sizes, strict=True):
        file = next((f for end in (".png", ".jpg") if (f := folder / f"{image_id}{end}").is_file()), None)
        map_ = None if file is None else cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
        if map_ is None:
            raise InputError(
                f"{file or folder / f'{image_id}.png'}: missing or unreadable; every image needs a saliency map"
            )
        if map_.shape != tuple(size):
            raise InputError(f"{file}: is {map_.shape[::-1]}, its photo {tuple(size)[::-1]}; resize the map")
        maps.append(map_.astype(np.float32) / 255)
    return maps
