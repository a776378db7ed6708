"""Section `rows` of `params.yaml`: which runs a project wants."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from wsss_core.rows.kinds import How

Method = Literal["mining", "crf", "em", "dcsp", "affinity", "combined"]
METHODS: tuple[str, ...] = get_args(Method)
Sharing = Literal["mining", "dcsp", "affinity"]


@dataclass(frozen=True, kw_only=True)
class Wiring:
    """Section `rows` of `params.yaml`.

    Attributes:
        preset: the preset that the file came from.
        methods: `mining` (mining pixels), `crf` (the CRF neighbourhood), `em` (EM with biases), `dcsp`
            (class-specific pixels), `affinity` (iterative affinity learning) and `combined` (what the section
            `combinations` names); their runs are in the graph.
        main_only: of every method its main run and what that is made of, not the runs it is compared with.
        backbone: section of `backbone` from which every network starts.
        encoder: another one for the encoder–decoder of `crf`.
        tagged: start the runs of `crf`, `em`, `affinity` and `combined` from the attention network, a classifier of
            these very classes, instead of the backbone, a region network from the segmenter that it judges, and from
            step 2 on the networks of `affinity` from those of the step before: for budgets that are too small to learn
            classes and places at once.
        attention: section of `attention` whose maps select easy images and feed the mining rules; a rule with
            the name of another section (`cam`) uses that one.
        rounds: EM iterations after the initial model.
        networks: by method, how many segmentation networks its share of the budget is divided among; as many as its
            main run has where left out. A number here stays when iterations are added, so that those there are stay.
        seeds: how often every run is repeated, with seeds 0, 1, …
        ablations: of `mining` also the η pairs of the paper, hard loss in both iterations, and EM without mined pixels;
            of `crf` both neighbourhoods at every weight λ, and the exponentiated one with a kernel of sum 1; of `em`
            b_fg − b_bg, α of Bbox-Seg, and small against large field of view; of `dcsp` other cues (saliency steps,
            means, γ, maximum pooling), no adapting, and segmentation apart from classification; of `affinity` no mining
            of regions, no propagation, no smoothness, a first propagation learnt from the seeds themselves, and random
            walks instead of it all; of the first combination
            the same on the cues of the max rule, from the backbone, without the IoU gain, and without the CRF
            neighbourhood, if it has them.
        adapts: how often `dcsp` adapts its cues; twice at least with the ablations.
        steps: how often `affinity` learns, mines and propagates, its T.
        affinity_cues: section of `mine_cues` that `affinity` starts from; `cam` in the paper.
        strong: numbers of images with masks beside the others, for `em`; `all` for all that have one.
        second_strong: numbers of images of the second data set with masks, the others weak, for `em`.
        detector: where saliency comes from: the trained network, a folder of ready-made maps, or an `.onnx` file.
        full: also a run on the true masks, the upper bound.
    """

    preset: str
    methods: tuple[Method, ...] = ("mining",)
    main_only: bool = False
    backbone: str
    encoder: str | None = None
    tagged: bool = False
    attention: str
    rounds: int = 2
    adapts: int = 1
    steps: int = 2
    affinity_cues: str = "cam"
    networks: dict[str, int] = field(default_factory=dict)
    seeds: int = 1
    ablations: bool = False
    detector: str = "data/saliency_net"
    full: bool = False
    strong: tuple[Any, ...] = (50, 100, 200, "all")
    second_strong: tuple[int, ...] = (20,)

    def __post_init__(self) -> None:
        for number in self.strong:
            if number != "all" and not (type(number) is int and number > 0):
                raise ValueError(f"strong: expected numbers of images or all, got {number!r}")
        if "mining" not in self.methods:
            raise ValueError("methods: mining is always among them; run another one alone by naming its stages")
        if self.main_only and self.ablations:
            raise ValueError(
                "main_only and ablations: only one of them; --no-main-only or --no-ablations ends the other"
            )
        for key in ("rounds", "adapts", "steps", "seeds"):
            if getattr(self, key) < 1:
                raise ValueError(f"{key} must be at least 1, got {getattr(self, key)}")
        for method, number in self.networks.items():
            if method not in get_args(Sharing) or number < 1:
                raise ValueError(f"networks: expected mining, dcsp or affinity and at least 1, got {method}: {number}")

    def sharing(self, method: Sharing) -> int:
        """Segmentation networks of a method among which the budget is divided."""
        of_main_run = {"mining": self.rounds + 1, "dcsp": self.adapts + 1, "affinity": self.steps}
        return self.networks.get(method, of_main_run[method])

    def repetitions(self, method: Sharing | None = None) -> Iterator[tuple[str, How]]:
        """What a repetition's names end with, and its seed; with a method the networks that share the budget, too."""
        for seed in range(self.seeds):
            shared = {} if method is None else {"networks": self.sharing(method)}
            yield (f"_s{seed}" if seed else ""), {"seed": seed, **shared}

    def online_start(self, backbone: str | None = None) -> str:
        """Where the runs start that `tagged` speaks of."""
        return f"attention_nets/{self.attention}" if self.tagged else f"backbones/{backbone or self.backbone}"

    @property
    def trains_detector(self) -> bool:
        """Whether saliency comes from a network that the graph trains."""
        return self.detector == "data/saliency_net"
