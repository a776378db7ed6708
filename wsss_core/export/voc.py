"""PASCAL VOC's 21 class ids and the folder names of its evaluation server."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from wsss_core.ingest.source import VOC_CLASSES
from wsss_core.stage import InputError

VOC_IDS = {name: class_id for class_id, name in enumerate(("background", *VOC_CLASSES))}
LARGEST = len(VOC_CLASSES)
COMPETITIONS = ("comp5", "comp6")  # segmentation trained on VOC alone, and on anything
SPLITS = ("val", "test")

FOLDER = re.compile(rf"results/VOC2012/Segmentation/({'|'.join(COMPETITIONS)})_({'|'.join(SPLITS)})_cls")


def results_folder(comp: str, split: str) -> str:
    """Where the server looks for the label maps of a split.

    Raises:
        InputError: a competition or split that the server does not know.
    """
    for key, value, known in (("comp", comp, COMPETITIONS), ("split", split, SPLITS)):
        if value not in known:
            raise InputError(f"--{key} {value}: VOC's server knows {' and '.join(known)}")
    return f"results/VOC2012/Segmentation/{comp}_{split}_cls"


def to_voc(classes: Sequence[str]) -> np.ndarray:
    """VOC's class id for each id of a data set, found by name, uint8 (256,); 255 where the data set has no such id.

    Raises:
        InputError: a class that VOC does not have.
    """
    strange = [name for name in classes if name not in VOC_IDS]
    if strange:
        raise InputError(
            f"class {', '.join(strange)}: not among VOC's 20 classes, so its server cannot score it; export a run on "
            "VOC's classes (COCO: classes_map: voc20)"
        )
    ids = np.full(256, 255, np.uint8)
    ids[: len(classes)] = [VOC_IDS[name] for name in classes]
    return ids
