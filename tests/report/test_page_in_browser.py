"""The page in headless Chromium: sliders move, pictures load, nothing complains, nothing sticks out."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.report.browser import PROGRAM, Browser
from wsss_core.report.budget import Spent
from wsss_core.report.chart import line_chart
from wsss_core.report.claim_list import CLAIMS
from wsss_core.report.claims import judge
from wsss_core.report.combinations import combination_tables
from wsss_core.report.costs import Cost, write_costs
from wsss_core.report.figures import Figures
from wsss_core.report.gallery import Named, Step, Viewer
from wsss_core.report.page import Page, Split, render
from wsss_core.report.ranking import class_bars, ranking
from wsss_core.report.results import Evaluation
from wsss_core.report.steps import step_tables
from wsss_core.report.supervision import masks_table
from wsss_core.report.tables import erasing_tables, label_tables, run_tables
from wsss_core.report.thumbnails import flat_uri, photo_uri

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no chromium on the path: apt-get install chromium")

HOSTILE = "<img src=x onerror=alert(1)>" + "long" * 30
CLASSES = ["background", HOSTILE, *(f"class {i}" for i in range(2, 21))]
SEEDS = ("", "_s1", "_s2")
SCORES = {"miou": 0.5, "pixel_accuracy": 0.5, "per_class": dict.fromkeys(CLASSES, 0.5), "images": 7}
LABELLED = {"miou": 0.5, "precision": 0.5, "recall": 0.5, "coverage": 0.5, "images": 1234567}
ERASED = {"iou": [0.5] * 9, "changed": [{"better": 0.5, "worse": 0.5}] * 8, "images": 1234567}
COLOURS = {"saliency": (255, 0, 0), HOSTILE: (0, 255, 0), "truth": (0, 0, 255)}
PHOTO = (128, 128, 128)
ABSENT = [HOSTILE, *(f"confident {i}" for i in range(60))]
SHOWN = "[...document.querySelectorAll('#image-{0} .over')].findIndex(p => p.checkVisibility())"
SLIDER = "document.querySelector('#image-{0} input')"


def picture(colour: tuple[int, int, int]) -> np.ndarray:
    return np.full((60, 80, 3), colour, np.uint8)


def viewer(number: int, image_id: str) -> Viewer:
    pictures = [flat_uri(picture(colour)) for colour in COLOURS.values()]
    # two steps show the same picture
    steps = [Step("saliency", 0), Step("saliency again", 0), Step(HOSTILE, 1), Step("truth", 2)]
    return Viewer(number, image_id, [1, 2], photo_uri(picture(PHOTO)), (400, 300), pictures, steps, ABSENT, start=3)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    names = ("mining_0", "mining_0_s1", HOSTILE, *(f"{run}{s}" for run in ("em_fixed", "em_adapt") for s in SEEDS))
    runs = [Evaluation(name, "runs", {"val": SCORES}) for name in names]
    ranked = ranking(runs)
    html = render(
        Page(
            classes=CLASSES,
            splits=[Split("val", 7, 7), Split(HOSTILE, 1234567, 1234567)],
            runs=[run.name for run in runs],
            budget={HOSTILE: Spent("mining_0", HOSTILE, 192, 1234567, 1234567), "EM": Spent("em", "lite0", 192, 9, 9)},
            ranking=ranked,
            class_bars={split: class_bars(found, ["mining_0", "em_adapt"]) for split, found in ranked.items()},
            masks_tables=masks_table({HOSTILE: dict.fromkeys(range(0, 2000, 100), 0.5)}, "val"),
            run_tables=run_tables(runs),
            label_tables=label_tables([Evaluation(HOSTILE, "labels", {HOSTILE: LABELLED})]),
            erasing_tables=erasing_tables([Evaluation("saliency", "erasing", {HOSTILE: ERASED})]),
            step_tables=step_tables({HOSTILE: [{"unary": "u"}] * 2}, [Evaluation("u", "labels", {"train": LABELLED})]),
            combination_tables=combination_tables(
                {HOSTILE: [{"run": "mining_0", "part": f"all of {HOSTILE} " * 4}, {"run": HOSTILE, "part": "then"}]},
                runs,
                "val",
            ),
            figures={HOSTILE: {HOSTILE: HOSTILE}},
            charts=[
                line_chart(HOSTILE, "images seen", "loss", {f"{HOSTILE} {i}": [(0, i), (1e6, 2)] for i in range(9)})
            ],
            claims=judge(CLAIMS, Figures(runs, {})),
            gallery={"val": [Named(f"a {HOSTILE}", 3, "", viewer(3, f"a {HOSTILE}"))]},
            worst={HOSTILE: [Named("b", 5, "mIoU 5.0", viewer(5, "b")), Named(f"a {HOSTILE}", 3, "mIoU 6.0", None)]},
        )
    )
    path = tmp_path_factory.mktemp("page") / "index.html"
    path.write_text(html, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    found = Browser(tmp_path_factory.mktemp("profile"))
    yield found
    found.close()


def state(browser: Browser, number: int) -> tuple[int, str, str]:
    """Which picture of an image lies over the photo (−1: none), the caption, and what the slider says of itself."""
    caption = browser.run(f"document.querySelector('#image-{number} .caption').textContent")
    spoken = browser.run(f"{SLIDER.format(number)}.getAttribute('aria-valuetext')")
    return browser.run(SHOWN.format(number)), caption, spoken


def pixel(browser: Browser, number: int) -> list[int]:
    """The colour in the middle of an image as the window shows it."""
    where = f"document.querySelector('#image-{number} .frame')"
    browser.run(f"{where}.scrollIntoView({{block: 'center', behavior: 'instant'}})")
    x, y = browser.run(
        f"(r => [r.x + r.width / 2 + scrollX, r.y + r.height / 2 + scrollY])({where}.getBoundingClientRect())"
    )
    whole = cv2.imdecode(np.frombuffer(browser.picture(), np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    return whole[round(y), round(x)].tolist()


def test_arrow_keys_step_through_pictures_and_captions(browser, page):
    browser.open(page, width=1280)
    assert state(browser, 3) == (1, HOSTILE, HOSTILE)  # what was made last, before the truth
    browser.run(f"{SLIDER.format(3)}.focus()")
    seen = []
    for key in ("Home", "ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight", "ArrowLeft"):
        browser.press(key)
        picture_, caption, spoken = state(browser, 3)
        assert caption == spoken
        seen.append((picture_, caption))
    assert seen == [
        (-1, "photo"),
        (0, "saliency"),
        (0, "saliency again"),
        (1, HOSTILE),
        (2, "truth"),
        (2, "truth"),
        (1, HOSTILE),
    ]
    assert state(browser, 5) == (1, HOSTILE, HOSTILE)  # the other image's slider stood still
    assert browser.complaints == []


def test_the_tab_key_reaches_every_slider(browser, page):
    browser.open(page, width=1280)
    reached = set()
    for _ in range(60):
        browser.press("Tab")
        reached.add(browser.run("document.activeElement.ariaLabel ?? document.activeElement.id"))
    assert {"opacity", f"Pictures of a {HOSTILE}", "Pictures of b"} <= reached


def test_what_is_seen_is_the_picture_over_the_photo_as_opaque_as_asked(browser, page):
    browser.open(page, width=1280)
    browser.run("(o => {{ o.value = 100; o.dispatchEvent(new Event('input')) }})(document.getElementById('opacity'))")
    assert pixel(browser, 5) == list(COLOURS[HOSTILE])
    browser.run("(o => {{ o.value = 50; o.dispatchEvent(new Event('input')) }})(document.getElementById('opacity'))")
    assert np.abs(np.array(pixel(browser, 5)) - [64, 192, 64]).max() <= 3
    browser.run(f"{SLIDER.format(5)}.focus()")
    browser.press("Home")
    assert np.abs(np.array(pixel(browser, 5)) - PHOTO).max() <= 3


@pytest.mark.parametrize("width", [360, 1280])
def test_everything_loads_and_nothing_sticks_out(browser, page, width):
    browser.open(page, width=width)
    assert browser.run("[...document.images].length") == 8
    assert browser.run("[...document.images].every(i => i.complete && i.naturalWidth > 0)")
    assert browser.run("document.documentElement.scrollWidth") == width
    browser.run("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert browser.run("document.documentElement.scrollWidth") == width
    assert browser.run("[...document.querySelectorAll('table')].filter(t => !t.closest('.scroll')).length") == 0
    outside = "[...document.querySelectorAll('.viewer *')].filter(e => e.getBoundingClientRect().right > innerWidth)"
    assert browser.run(f"{outside}.map(e => e.outerHTML.slice(0, 80))") == []
    assert browser.complaints == []


def test_a_verdict_is_seen_on_a_telephone(browser, page):
    browser.open(page, width=360)
    verdict = "document.querySelector('.claims tbody td b').getBoundingClientRect().right"
    assert browser.run(verdict) < 360


def test_what_an_image_lacks_takes_one_line(browser, page):
    browser.open(page, width=360)
    lacking = "document.querySelector('#image-5 details').getBoundingClientRect().height"
    assert browser.run(lacking) < 40
    assert browser.run("document.querySelector('#image-5 details').innerText") == "Not made for this image: 61"


def test_the_costs_do_not_stick_out(browser, tmp_path):
    times = {"crf_none": 9.0, "crf_exp": 99.0}
    write_costs([Cost(HOSTILE, f"data/segmenters/{run}", s, 12345, 10**12) for run, s in times.items()], tmp_path)
    browser.open(tmp_path / "costs.html", width=360)
    assert browser.run("document.documentElement.scrollWidth") == 360
    assert browser.complaints == []


@pytest.mark.parametrize("width", [390, 1280])
def test_names_are_read_in_full_and_leave_room_for_figures(browser, page, tmp_path, width):
    outs = [f"reports/labels/posteriors_em2_relative_05_relative_05_{t}.json" for t in (1, 2)]
    write_costs([Cost("evaluate", out, 9.0, 99, 99) for out in [*outs, f"data/{HOSTILE}"]], tmp_path)
    for file in (tmp_path / "costs.html", page):
        browser.open(file, width=width)
        browser.run("document.querySelectorAll('details').forEach(d => d.open = true)")
        names = "[...document.querySelectorAll('tr > th:first-child')]"
        assert browser.run(f"{names}.length") > 3
        assert browser.run(f"{names}.filter(n => n.scrollWidth > n.clientWidth).map(n => n.innerText)") == []
        assert browser.run(f"Math.max(...{names}.map(n => n.clientWidth))") <= 0.5 * width


def test_a_table_says_what_it_is_and_what_its_rows_are(browser, page):
    browser.open(page, width=1280)
    named = "[...document.querySelectorAll('.scroll')].map(r => [r.ariaLabel, r.querySelector('th').textContent])"
    regions = browser.run(named)
    assert len({name for name, _ in regions}) == len(regions)
    assert ["IoU on val, percent", "run"] in regions and [f"Combination {HOSTILE}", "network"] in regions
    assert [f"Steps of {HOSTILE}, percent", "step"] in regions
    assert "percent" not in {head for _, head in regions}


def test_a_complaint_would_be_seen(browser, page, tmp_path):
    broken = tmp_path / "broken.html"
    broken.write_text(
        page.read_text().replace("slider.list", "slider.lost").replace("</h1>", "<img src=https://x.y/z>")
    )
    browser.open(broken, width=1280)
    assert any("Uncaught" in text for text in browser.complaints)
    assert any("Content Security Policy" in text for text in browser.complaints)
