"""Labelling a folder: what is written, that it is what the network says, and how it ends when something is wrong."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from wsss_core.cli.main import app
from wsss_core.crf import DenseCRF
from wsss_core.export import pictures
from wsss_core.export.predict import find_network, label_maps, overlay, predict_folder
from wsss_core.models.attention import make_fcan
from wsss_core.models.inference import infer_maps
from wsss_core.models.prediction import Prediction
from wsss_core.models.propagation import make_propagation
from wsss_core.models.saved import load_segmenter, save_model
from wsss_core.models.segmenter import make_segmenter
from wsss_core.stage import InputError

CLASSES = ["background", "cat", "dog"]
TRUNK = {"backbone": "test_resnet", "output_stride": 16}
SEGMENTER = {**TRUNK, "head": "pyramid", "n_classes": 3, "width": 8}
KINDS = {
    "segmenter": (make_segmenter, SEGMENTER),
    "fcan": (make_fcan, {**TRUNK, "head": "largefov", "n_classes": 3, "width": 8, "pool": "gmp"}),
    "propagation": (make_propagation, {**TRUNK, "head": "pyramid", "width": 8, "per_class": False, "unary": SEGMENTER}),
}
RUN = Path("data/segmenters/mine")
OUT = Path("out")
SIZES = {"a.png": (40, 60), "b.jpg": (60, 40), "c.bmp": (33, 70)}


def save_network(folder: Path = RUN, kind: str = "segmenter", classes: list[str] | None = CLASSES, **changed) -> None:
    make, arguments = KINDS[kind]
    torch.manual_seed(3)
    arguments = {**arguments, **changed}
    model = make(**arguments)
    for module in model.modules():
        if isinstance(module, torch.nn.Conv2d) and module.out_channels == 3:
            module.register_forward_hook(centre)
    photo = torch.from_numpy(read(Path("pictures/a.png"))[:33, :49].copy())
    model.eval()(photo.permute(2, 0, 1)[None].float())
    save_model(folder, model, {"kind": kind, **arguments, **({"classes": classes} if classes else {})})


def centre(scores: torch.nn.Conv2d, _, maps: torch.Tensor) -> None:
    """A hook that gives every class the mean 0, or one class could win everywhere."""
    with torch.no_grad():
        scores.bias -= maps.mean((0, 2, 3))


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty project with pictures of noise in `pictures`."""
    monkeypatch.chdir(tmp_path)
    Path("pictures").mkdir()
    random = np.random.default_rng(0)
    for name, size in SIZES.items():
        noise = cv2.resize(random.integers(0, 256, (4, 4, 3), np.uint8), size[::-1])
        Image.fromarray(noise).save(f"pictures/{name}")
    return Path("pictures")


def expected(name: str, *, network: Path = RUN, size: int = 64, scales=(1.0,), join="mean", crf=None) -> np.ndarray:
    """Labels of a picture by the network itself."""
    model, _ = load_segmenter(network)
    photo = read(Path(f"pictures/{name}"))
    device = torch.device("cpu")
    options = {"size": size, "stride": model.output_stride, "scales": scales, "join": join}
    ((_, logits),) = infer_maps(model, [photo], **options, device=device)
    return (crf(photo, logits.softmax(0).numpy()) if crf else logits.numpy()).argmax(0)


def labels(name: str) -> np.ndarray:
    return read(OUT / f"labels/{Path(name).stem}.png")


def read(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture)


@pytest.mark.parametrize("kind", KINDS)
def test_every_picture_gets_the_labels_that_the_network_gives_it(folder, kind):
    save_network(kind=kind)
    assert predict_folder(RUN, folder, OUT, size=64) == 3
    assert sorted(path.name for path in (OUT / "labels").iterdir()) == ["a.png", "b.png", "c.png"]
    for name, size in SIZES.items():
        assert labels(name).shape == size
        assert (labels(name) == expected(name)).mean() > 0.999  # batches differ in the last bits
    assert len({i for name in SIZES for i in np.unique(labels(name))}) > 1
    with Image.open(OUT / "labels/a.png") as picture:
        assert picture.mode == "P" and picture.getpalette()[:12] == [0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0]


def test_size_scales_and_crf_reach_the_network(folder):
    save_network()
    crf = DenseCRF(iterations=5)
    plain = expected("a.png")
    for i, options in enumerate(
        [{"size": 128}, {"scales": (1.0, 0.5)}, {"scales": (1.0, 0.5), "join": "max"}, {"crf": crf}]
    ):
        out = Path(f"out{i}")
        how = {name: value for name, value in options.items() if name != "size"}
        predict_folder(RUN, folder, out, size=options.get("size", 64), how=Prediction(**how))
        written = read(out / "labels/a.png")
        assert (written == expected("a.png", **options)).mean() > 0.999
        assert (written != plain).any()


def test_a_picture_beyond_the_limit_is_labelled_at_its_true_size(folder, monkeypatch):
    save_network()
    monkeypatch.setattr(pictures, "MOST_PIXELS", 150)  # (40, 60) → (10, 15)
    halves = np.repeat(np.uint8([[0, 2]]), [7, 8], axis=1).repeat(10, 0)

    def fake(model, window, **_):
        yield from ((picture, np.resize(halves, picture.photo.shape[:2])) for picture in window)

    monkeypatch.setattr("wsss_core.export.predict.label_maps", fake)
    predict_folder(RUN, folder, OUT, size=64)
    assert (labels("a.png") == halves.repeat(4, 0).repeat(4, 1)).all()  # no 1 between 0 and 2
    with Image.open(OUT / "overlays/a.jpg") as picture:
        assert picture.size == (15, 10)


def test_overlay_and_legend_have_the_colours_of_voc(folder):
    photo = np.full((2, 2, 3), 100, np.uint8)
    shown = overlay(photo, np.array([[0, 1], [2, 9]], np.uint8))
    assert shown.tolist() == [[[100, 100, 100], [114, 50, 50]], [[50, 114, 50], [146, 50, 50]]]
    save_network()
    predict_folder(RUN, folder, OUT, size=64)
    assert json.loads((OUT / "classes.json").read_text()) == [
        {"id": 0, "name": "background", "colour": "#000000"},
        {"id": 1, "name": "cat", "colour": "#800000"},
        {"id": 2, "name": "dog", "colour": "#008000"},
    ]
    photo = read(Path("pictures/a.png"))
    with Image.open(OUT / "overlays/a.jpg") as picture:
        assert picture.format == "JPEG" and picture.size == (60, 40)
        difference = np.asarray(picture) - overlay(photo, labels("a.png")).astype(int)
    assert abs(difference).mean() < 6


def test_pictures_that_cannot_be_read_are_skipped_and_counted(folder, capsys):
    save_network()
    (folder / "text[red].png").write_text("no picture")
    with pytest.raises(InputError, match="pictures: 1 of 4 pictures skipped, named above; the others are in out"):
        predict_folder(RUN, folder, OUT, size=64)
    assert capsys.readouterr().err.splitlines() == [
        "skipped pictures/text[red].png: not a picture; replace the file or remove the image from the list"
    ]
    assert len(list((OUT / "labels").iterdir())) == len(list((OUT / "overlays").iterdir())) == 3


def test_nothing_is_left_where_no_picture_can_be_read(folder):
    save_network()
    for path in folder.iterdir():
        path.write_text("no picture")
    with pytest.raises(InputError, match="none of its 3 pictures can be read"):
        predict_folder(RUN, folder, OUT, size=64)
    assert sorted(path.name for path in Path().iterdir()) == ["data", "pictures"]


def test_a_killed_run_leaves_nothing_and_the_next_one_starts_afresh(folder, monkeypatch):
    save_network()
    Path(".out.building/labels").mkdir(parents=True)
    Path(".out.building/labels/stale.png").touch()
    with monkeypatch.context() as patch:
        patch.setattr("wsss_core.export.predict.encode_labels", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            predict_folder(RUN, folder, OUT, size=64)
    assert sorted(path.name for path in Path().iterdir()) == ["data", "pictures"]
    predict_folder(RUN, folder, OUT, size=64)
    assert len(list((OUT / "labels").iterdir())) == 3


@pytest.mark.parametrize("out", ["pictures", "pictures/a.png"])
def test_what_the_user_has_is_never_replaced(folder, out):
    save_network()
    with pytest.raises(InputError, match=f"{out}: exists already; remove it or name another"):
        predict_folder(RUN, folder, Path(out), size=64)
    assert sorted(path.name for path in folder.iterdir()) == sorted(SIZES)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 31}, "--size 31: expected at least 32"),
        ({"how": Prediction(scales=())}, "--scales : expected factors"),
        ({"how": Prediction(scales=(1.0, 0.0))}, "--scales 1.0,0.0: expected factors above 0"),
        ({"how": Prediction(scales=(float("nan"),))}, "--scales nan: expected factors above 0"),
    ],
)
def test_settings_out_of_range_are_named(folder, options, message):
    save_network()
    with pytest.raises(InputError, match=message):
        predict_folder(RUN, folder, OUT, **{"size": 64, **options})


def test_networks_are_found_by_name_and_by_path():
    save_network()
    save_network(Path("elsewhere/net"))
    assert find_network("mine") == find_network("data/segmenters/mine") == RUN
    assert find_network("elsewhere/net") == Path("elsewhere/net")
    with pytest.raises(InputError, match="other: neither a run below data/segmenters nor .*; runs: mine"):
        find_network("other")


def test_a_saliency_detector_is_refused(folder):
    save_network(n_classes=1, classes=None)
    with pytest.raises(InputError, match=r"data/segmenters/mine/model\.json: names no classes"):
        predict_folder(RUN, folder, OUT, size=64)


def test_pictures_of_one_size_go_through_the_network_together(folder):
    save_network()
    model, _ = load_segmenter(RUN)
    seen = []
    model.register_forward_pre_hook(lambda _, inputs: seen.append(tuple(inputs[0].shape)))
    window = [pictures.read_picture(folder / name) for name in ("a.png", "b.jpg", "a.png")]
    list(label_maps(model, window, size=64, how=Prediction()))
    assert [shape[0] for shape in seen] == [2, 1]


def call(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, [*words])
    error = done.exception
    return done.exit_code, f"error: {error}" if isinstance(error, InputError) else done.output


def test_the_command_takes_the_budgets_size_and_the_crfs_settings(folder):
    save_network()
    command = ("predict", "mine", "pictures", "--out", "out")
    assert call(*command) == (
        1,
        "error: params.yaml: no section budget here; give --size, the long side of a picture in pixels",
    )
    assert call(*command, "--size", "64", "--scales", "1,x")[1].startswith("error: --scales 1,x: expected numbers")
    Path("params.yaml").write_text("budget: {size: 128, images_seen: 1}\npredict: {crf: {iterations: 0}}\n")
    assert call(*command, "--crf") == (0, "labelled 3 pictures: out\n")
    assert (labels("a.png") == expected("a.png", size=128)).mean() > 0.999  # a CRF of no iteration changes nothing
    Path("params.yaml").write_text("budget: {size: 64, images_seen: 1}\npredict: {scales: [1, 0.5], join: max}\n")
    assert call("predict", "mine", "pictures", "--out", "again")[0] == 0
    written = read(Path("again/labels/a.png"))
    assert (written == expected("a.png", scales=(1.0, 0.5), join="max")).mean() > 0.999
    assert call(*command, "--crf")[1].endswith("out: exists already; remove it or name another folder")
