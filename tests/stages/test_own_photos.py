"""README's way in: a folder of photos with a table of tags and ready-made saliency maps, no mask anywhere."""

import csv
import json
import shutil
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from tiny import copy_project, edit_params, repro, run, shrink

from wsss_core.scenes.make import make_scenes

pytestmark = pytest.mark.graph


def write_photos(folder: Path) -> None:
    """Photos in subfolders with spaces in their names, a map for each, and labels.csv."""
    make_scenes(folder / "scenes", seed=0, size=64, train=1, val=1, easy=8, saliency=2, workers=1)
    easy = folder / "scenes/easy"
    tags = json.loads((easy / "image_labels.json").read_text())
    for place in ("photos/farm", "my maps/farm"):
        (folder / place).mkdir(parents=True)
    with open(folder / "photos/labels.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["image", "label"])
        for number, (name, labels) in enumerate(tags.items()):
            photo = f"farm/photo {number}.jpg"
            shutil.copy(easy / f"JPEGImages/{name}.jpg", folder / "photos" / photo)
            height, width = cv2.imread(str(folder / "photos" / photo)).shape[:2]
            salient = np.zeros((height, width), np.uint8)
            cv2.circle(salient, (width // 2, height // 2), height // 3, 255, -1)
            cv2.imwrite(str(folder / f"my maps/farm/photo {number}.png"), salient)
            table.writerow([photo, ";".join(labels)])


def test_photos_and_a_table_are_enough(tmp_path):
    copy_project(tmp_path)
    write_photos(tmp_path)
    run(tmp_path, "dvc", "init", "--no-scm", "-q")
    printed = run(tmp_path, "wsss", "init", "laptop", "--root", "photos", "--detector", "my maps")
    assert "now: dvc repro" in printed
    edit_params(tmp_path, shrink)
    edit_params(tmp_path, lambda params: params["rows"].update(rounds=1))
    run(tmp_path, "wsss", "rows")
    ran = repro(tmp_path)
    assert ran[-1] == "report"
    assert not {"make_scenes@scenes", "train_saliency@saliency_net", "ingest@saliency_pairs"} & set(ran)
    assert json.loads((tmp_path / "reports/metrics.json").read_text()) == {"runs": {}, "labels": {}}
    assert "farm/photo " in (tmp_path / "reports/index.html").read_text()
