"""The wiring rows of combinations: cues, losses, E-steps and regions of different papers in one chain."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from wsss_core.rows.affinity import add_propagation, add_refinement, add_regions
from wsss_core.rows.kinds import How, Kinds
from wsss_core.rows.wiring import METHODS, Wiring
from wsss_core.stage import InputError, bind, section

REGIONS, AGAIN = "regions", "again"
WORDS = {REGIONS: "refined labels", AGAIN: "the same labels"}  # what each says that the next network learns from
NAME = re.compile(r"(?!cues_)[a-z][a-z0-9_]*")
STARTS = ("attention_nets/", "backbones/", "segmenters/")


@dataclass(frozen=True, kw_only=True)
class Chain:
    """A section of `combinations`: what the first network learns from, and what each further one does.

    Attributes:
        cues: section of `mine_cues`.
        settings: section of `train_segmenter`, the loss and head of all its networks.
        then: what follows, in order: a section of `estep`, whose labels or posteriors the next network learns from, or
            `regions`: confident regions and propagation, with the sections `affinity` of `estep`, `train_regions`,
            `mine_regions` and `train_affinity`; the next network, if any, learns from what that refined; or `again`:
            the next network goes on with the same labels, its schedule anew, what an E-step has to be compared with.
        start: where the first network starts, as `attention_nets/fcan`; by default as `rows.tagged` says.
        networks: among which its budget is divided; as many as it has if left out.

    Raises:
        ValueError: `start` is no network, or no network shares the budget.
    """

    cues: str
    settings: str
    then: tuple[str, ...] = ()
    start: str | None = None
    networks: int | None = None

    def __post_init__(self) -> None:
        if self.start is not None and not self.start.startswith(STARTS):
            raise ValueError(f"start: {self.start!r} is no network; it begins with {', '.join(STARTS)}")
        if self.networks is not None and self.networks < 1:
            raise ValueError(f"networks must be at least 1, got {self.networks}")

    @property
    def sharing(self) -> int:
        """Segmentation networks among which the budget is divided."""
        return self.networks or 1 + len(self.then) - (self.then[-1:] == (REGIONS,))


def chains_of(params: Mapping[str, Any], wiring: Wiring) -> dict[str, Chain]:
    """The combinations by name, and with the ablations what the first is compared with.

    Raises:
        InputError: a name, cue, section or start that cannot be; it names the key.
    """
    names = section(params, "combinations")
    chains = {name: bind(Chain, section(params, f"combinations.{name}"), f"combinations.{name}") for name in names}
    if not chains:
        raise InputError("params.yaml: combinations: none is named; name one, or take combined out of rows.methods")
    known = section(params, "mine_cues")
    for word in WORDS:
        if word in params.get("estep", {}):
            raise InputError(f"params.yaml: estep.{word}: in combinations the word has a meaning of its own; rename it")
    for name, chain in chains.items():
        _check_name(name)
        if chain.cues not in known:
            raise InputError(f"params.yaml: combinations.{name}.cues: {chain.cues!r} is none of {', '.join(known)}")
        section(params, f"train_segmenter.{chain.settings}")
        if chain.start and chain.start.startswith(f"segmenters/{name}_"):
            raise InputError(f"params.yaml: combinations.{name}.start: {chain.start} is one of its own networks")
    if not wiring.ablations:
        return chains
    return chains | _varied(chains, section(params, "train_segmenter"), f"backbones/{wiring.backbone}")


def _check_name(name: str) -> None:
    """Refuse a name that no folder can have or that reads like another run's."""
    taken = [method for method in METHODS if method != "combined"]
    if not NAME.fullmatch(name) or name in taken:
        raise InputError(
            f"params.yaml: combinations: {name!r}: expected a-z, 0-9 and _, not cues_…, and none of {', '.join(taken)}"
        )


def _varied(chains: Mapping[str, Chain], settings: Mapping[str, object], backbone: str) -> dict[str, Chain]:
    """The first combination on the cues of the max rule, from the backbone, and without parts of its loss.

    Args:
        chains: by name.
        settings: section `train_segmenter`, where `<settings>_plain` is the loss without the CRF neighbourhood, and
            `<settings>_ce` the one without the IoU gain, if it has them.
        backbone: a network that knows no class, as `backbones/lite0`.
    """
    name, first = next(iter(chains.items()))
    others = {f"{name}_max": replace(first, cues="max"), f"{name}_cold": replace(first, start=backbone)}
    for part in ("plain", "ce"):
        if f"{first.settings}_{part}" in settings:
            others[f"{name}_{part}"] = replace(first, settings=f"{first.settings}_{part}")
    return {other: chain for other, chain in others.items() if chain != first and other not in chains}


def combined_rows(chains: Mapping[str, Chain], wiring: Wiring) -> Kinds:
    """Networks `<name>_0`, `<name>_1`, … of every combination, `<name>_<t>_spn` after regions and propagation.

    With `rows.tagged` a region network starts from the segmenter whose labels it judges, a second propagation from the
    first. The main run is the first combination.
    """
    rows = Kinds()
    for name, chain in chains.items():
        for s, how in wiring.repetitions():
            _add_chain(rows, name, chain, s, how | {"networks": chain.sharing}, wiring)
    rows.main_runs["combination"] = [network["run"] for network in next(iter(rows.combined.values()), [])]
    return rows


def _add_chain(rows: Kinds, name: str, chain: Chain, s: str, how: How, wiring: Wiring) -> None:
    start, tagged = wiring.online_start(), wiring.tagged
    network = 0
    shown = []

    def train(labels: str, begin: str, part: str) -> None:
        run = f"{name}_{network}{s}"
        rows.runs[run] = {"settings": chain.settings, "labels": labels, "start": begin} | how
        shown.append({"run": run, "part": part})

    guidance = start  # where the next propagation starts
    labels = cues = f"cues/{chain.cues}"
    train(labels, chain.start or start, f"{chain.settings} on cues {chain.cues}")
    for number, part in enumerate(chain.then, start=1):
        before = f"{name}_{network}{s}"
        unary = f"segmenters/{before}"
        if part == REGIONS:
            rows.esteps[f"{name}_{network}_own{s}"] = {"settings": "affinity", "segmenter": unary, "cues": cues}
            own = f"posteriors/{name}_{network}_own{s}"
            add_regions(rows, before, own, unary if tagged else start, how)
            add_propagation(rows, f"{before}_spn", unary, f"regions/{before}", guidance, how)
            guidance = f"segmenters/{before}_spn" if tagged else start
            shown.append({"run": f"{before}_spn", "part": "regions and propagation"})
            if number == len(chain.then):
                break
            add_refinement(rows, before, f"regions/{before}", cues)
            labels = f"refined/{before}"
        elif part != AGAIN:
            labels = f"posteriors/{name}_{network + 1}{s}"
            rows.esteps[f"{name}_{network + 1}{s}"] = {"settings": part, "segmenter": unary, "cues": cues}
        network += 1
        train(labels, unary, f"again on {WORDS.get(part, part)}")
    if not s:
        rows.combined[name] = shown
