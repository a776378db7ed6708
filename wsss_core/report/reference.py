"""What the papers report for runs of the same name, for orientation beside a run's own figures."""

from __future__ import annotations

from typing import NamedTuple


class Reference(NamedTuple):
    """mIoU in percent on VOC 2012 val, over all classes and over `SEVEN`; None where the paper has none.

    Of the paper on mining pixels, which has two rules, these are of the Relative one, which the main runs of every
    preset have; `max_rule` is both figures of the other.
    """

    all_classes: float
    seven_classes: float | None = None
    max_rule: tuple[float, float] | None = None

    @property
    def texts(self) -> tuple[str, str]:
        """Both figures for people: `59.5`, with two rules `56.3 / 56.1` (Max / Relative), empty where there is none."""
        all_classes, seven = self.max_rule or (None, None)
        return _text(all_classes, self.all_classes), _text(seven, self.seven_classes)


def _text(*figures: float | None) -> str:
    return " / ".join(f"{figure:.1f}" for figure in figures if figure is not None)


SEVEN = "background, cat, cow, dog, horse, person, sheep"

# Wang et al. 2019, Table 5: in percent, steps 1 to 7, VGG-16; on its training images, and "val" of the refined maps.
AFFINITY_MIOU = {
    "unary": (51.5, 56.6, 59.3, 60.8, 61.7, 61.6, 61.8),
    "confident": (49.8, 54.1, 56.4, 56.9, 57.5, 57.6, 57.7),
    "pairwise": (55.2, 59.5, 61.4, 62.7, 63.1, 62.8, 63.2),
    "val": (51.3, 57.2, 59.9, 61.6, 62.0, 61.8, 62.0),
}
AFFINITY_PRECISION = {
    "unary": (72.7, 76.3, 79.2, 80.7, 79.7, 77.7, 78.9),
    "confident": (73.4, 78.1, 81.0, 81.2, 81.2, 81.0, 81.3),
    "pairwise": (73.1, 80.5, 79.7, 80.9, 80.8, 80.6, 80.9),
}

# Hou et al. 2016 (mining pixels), Tables 5 and 6, Max / Relative rule; Pandey & Dukkipati 2017, Table 1 and §6;
# Chaudhry et al. 2017, Tables 2 to 4, ResNet-101 (one figure without joint training, which two rows read); Papandreou
# et al. 2015, Tables 1 to 3, all with a CRF (EM-Adapt without: Pandey & Dukkipati, Table 1); Wang et al. 2019, and
# without smoothness, whose figure is of its five steps.
PAPERS = {
    "mining_0": Reference(53.5, 64.0),
    "mining_1": Reference(56.1, 66.8, max_rule=(56.3, 67.4)),
    "mining_2": Reference(56.9, 67.8, max_rule=(56.9, 67.7)),
    "crf_mean": Reference(50.7),
    "crf_exp": Reference(51.6, 60.7),
    "dcsp_0": Reference(58.5),
    "dcsp_0+crf": Reference(60.4),
    "dcsp_1": Reference(59.5, 74.6),
    "dcsp_1+crf": Reference(60.8, 76.6),
    "dcsp_s1_0": Reference(55.4),
    "dcsp_s1_0+crf": Reference(56.0),
    "dcsp_s1_1": Reference(55.7, 72.1),
    "dcsp_s1_1+crf": Reference(56.3),
    "dcsp_s2_1": Reference(59.5, 75.4),
    "dcsp_s2_1+crf": Reference(60.8, 77.5),
    "cue_map": Reference(48.3),
    "dcsp_separate_1": Reference(48.3),
    "em_fixed+crf": Reference(20.8),
    "em_adapt": Reference(33.8, 43.0),
    "em_adapt+crf": Reference(38.2),
    "box_rect+crf": Reference(52.5),
    "box_em_fixed+crf": Reference(54.1),
    "box_seg+crf": Reference(60.6),
    "em_fixed_200+crf": Reference(47.6),
    "em_fixed_500+crf": Reference(56.9),
    "em_fixed_750+crf": Reference(59.8),
    "em_fixed_1000+crf": Reference(62.0),
    "em_fixed_1464+crf": Reference(64.6),
    "strong_1464+crf": Reference(62.5),
    "box_rect_1464+crf": Reference(62.1),
    "box_em_fixed_1464+crf": Reference(64.8),
    "box_seg_1464+crf": Reference(65.1),
    "strong_all+crf": Reference(67.6),
    "cross_weak+crf": Reference(67.7),
    "cross_strong_5000+crf": Reference(68.7),
    "cross_5000+crf": Reference(70.0),
    "finetuned+crf": Reference(71.0),
    "cross_joint+crf": Reference(71.7),
    **{f"affinity_{step}_spn": Reference(miou) for step, miou in enumerate(AFFINITY_MIOU["val"], start=1)},
    "affinity_rough_5_spn": Reference(61.2),
}
