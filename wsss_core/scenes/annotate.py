"""What VOC records of a scene: class masks with an unlabelled border, boxes, the XML."""

from __future__ import annotations

from typing import NamedTuple
from xml.etree import ElementTree

import cv2
import numpy as np
from numpy.typing import NDArray

from wsss_core.scenes.parts import CLASSES
from wsss_core.scenes.scene import OVERSAMPLING, Scene

IGNORE = 255


class Box(NamedTuple):
    """The visible part of an object in VOC's pixels: counted from 1, the last one included."""

    xmin: int
    ymin: int
    xmax: int
    ymax: int


def class_mask(scene: Scene) -> NDArray[np.uint8]:
    """Class ids with 255 on the pixels that an outline crosses, shape (H, W).

    So every other pixel belongs to one owner as a whole. The border is one or two pixels wide, VOC's at this size.
    """
    kernel = np.ones((3, 3), np.uint8)
    outline = cv2.dilate(scene.owner, kernel) != cv2.erode(scene.owner, kernel)
    class_of_owner = np.array([0, *scene.class_ids], np.uint8)
    mask = class_of_owner[scene.owner[::OVERSAMPLING, ::OVERSAMPLING]]
    mask[_blocks(outline).any(axis=(1, 3))] = IGNORE
    return mask


def salient_mask(scene: Scene) -> NDArray[np.uint8]:
    """255 on the pixels that objects cover at least half, 0 elsewhere, shape (H, W)."""
    return np.where(_blocks(scene.owner > 0).mean(axis=(1, 3)) >= 0.5, 255, 0).astype(np.uint8)


def boxes(scene: Scene) -> list[Box]:
    """The tightest box around every pixel that the object's visible part touches, one per object."""
    found = []
    for number in range(1, len(scene.class_ids) + 1):
        touched = _blocks(scene.owner == number)
        rows, columns = np.flatnonzero(touched.any(axis=(1, 2, 3))), np.flatnonzero(touched.any(axis=(0, 1, 3)))
        found.append(Box(int(columns[0]) + 1, int(rows[0]) + 1, int(columns[-1]) + 1, int(rows[-1]) + 1))
    return found


def class_names(scene: Scene) -> list[str]:
    """The names of the classes in the scene, each once, in the order of their ids."""
    return [CLASSES[class_id - 1] for class_id in sorted(set(scene.class_ids))]


def annotation_xml(scene: Scene, image_id: str) -> bytes:
    """The scene's objects and boxes in VOC's XML."""
    root = ElementTree.Element("annotation")
    height, width, depth = scene.photo.shape
    for key, value in {"folder": "voc", "filename": f"{image_id}.jpg", "segmented": 1}.items():
        ElementTree.SubElement(root, key).text = str(value)
    _add(root, "size", {"width": width, "height": height, "depth": depth})
    for class_id, box in zip(scene.class_ids, boxes(scene), strict=True):
        thing = _add(root, "object", {"name": CLASSES[class_id - 1], "pose": "Unspecified", "difficult": 0})
        _add(thing, "bndbox", box._asdict())
    ElementTree.indent(root)
    return ElementTree.tostring(root) + b"\n"


def voc_palette() -> NDArray[np.uint8]:
    """PASCAL VOC's colours of the ids 0..255, RGB, shape (256, 3): bit 3k + channel of the id is bit 7 - k."""
    ids = np.arange(256)[:, None]
    channels = np.arange(3)[None, :]
    bits = [((ids >> (3 * k + channels)) & 1) << (7 - k) for k in range(3)]
    return np.bitwise_or.reduce(bits).astype(np.uint8)


def _add(parent: ElementTree.Element, name: str, values: dict[str, object]) -> ElementTree.Element:
    node = ElementTree.SubElement(parent, name)
    for key, value in values.items():
        ElementTree.SubElement(node, key).text = str(value)
    return node


def _blocks(canvas: NDArray) -> NDArray:
    """The canvas points of each pixel, shape (H, OVERSAMPLING, W, OVERSAMPLING)."""
    height, width = canvas.shape
    return canvas.reshape(height // OVERSAMPLING, OVERSAMPLING, width // OVERSAMPLING, OVERSAMPLING)
