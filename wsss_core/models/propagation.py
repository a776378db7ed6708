"""A segmenter whose output is carried over the photo by learned affinities: unary and pairwise network."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from wsss_core.affinity.propagation import propagate, stable
from wsss_core.models.backbone import Backbone, make_backbone
from wsss_core.models.folder import read_description
from wsss_core.models.heads import HeadName, make_head
from wsss_core.models.segmenter import Segmenter, make_segmenter
from wsss_core.models.start import backbone_of, start_from

Propagated = Literal["probabilities", "logits"]
SMALLEST = 1e-6  # of a propagated probability


class PropagationNetwork(nn.Module):
    """Unary network, then propagation by a second network's affinities (Wang et al. 2019, §3.3; Liu et al. 2017).

    Parameters below `backbone.` and `head.` are those of the second, the guidance network; the unary network, below
    `unary.`, is not trained.

    Args:
        backbone, head: the guidance network, with 4 directions × 3 neighbours × G outputs.
        unary: the segmenter whose output is propagated.
        propagated: its probabilities, as in the paper, or its logits.
    """

    def __init__(
        self, backbone: Backbone, head: nn.Module, unary: Segmenter, *, propagated: Propagated = "probabilities"
    ) -> None:
        super().__init__()
        self.backbone, self.head, self.propagated = backbone, head, propagated
        self.unary = unary.requires_grad_(False).eval()

    @property
    def output_stride(self) -> int:
        return math.lcm(self.backbone.output_stride, self.unary.output_stride)

    def train(self, mode: bool = True) -> Self:
        super().train(mode)
        self.unary.eval()
        return self

    def affinities(self, photos: Tensor) -> Tensor:
        """RGB in 0..255, float (B, 3, H, W) → weights that keep the propagation stable, float32 (B, 4, 3, G, h, w)."""
        maps = self.head(self.backbone(photos)).float()
        return stable(maps.unflatten(1, (4, 3, -1)))

    def unary_maps(self, photos: Tensor, grid: tuple[int, int]) -> Tensor:
        """What goes into the propagation: float32 (B, C, *grid), probabilities that sum to 1 over C, or logits."""
        with torch.no_grad():
            maps = self.unary(photos).float()
            maps = maps.softmax(1) if self.propagated == "probabilities" else maps
        return interpolate(maps, size=grid, mode="bilinear", align_corners=True)

    def forward(self, photos: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        """RGB in 0..255, float (B, 3, H, W) → log-probabilities (B, C, h, w); in training also the affinities."""
        affinities = self.affinities(photos)
        unary = self.unary_maps(photos, (affinities.shape[4], affinities.shape[5]))
        log_probabilities = self._log_probabilities(propagate(unary, affinities))
        return (log_probabilities, affinities) if self.training else log_probabilities

    def before_and_after(self, photos: Tensor) -> Tensor:
        """Log-probabilities without and with propagation and how much each pixel takes from its neighbours.

        RGB in 0..255, float (B, 3, H, W) → (B, 2·C + 1, h, w); the last plane is the mean of Σ_j |w_j|, in [0, 1].
        """
        affinities = self.affinities(photos)
        unary = self.unary_maps(photos, (affinities.shape[4], affinities.shape[5]))
        before, after = (self._log_probabilities(maps) for maps in (unary, propagate(unary, affinities)))
        taken = affinities.abs().sum(2).mean((1, 2)).unsqueeze(1)
        return torch.cat([before, after, taken], 1)

    def _log_probabilities(self, maps: Tensor) -> Tensor:
        return normalised(maps) if self.propagated == "probabilities" else maps.log_softmax(1)


def normalised(probabilities: Tensor) -> Tensor:
    """Log-probabilities, float (B, C, h, w), of propagated probabilities, whose maximum over scans does not sum to 1.

    They are divided by their sum. A softmax over values in [0, 1] would leave 21 classes almost undecided, for it gives
    none more than e / (e + 20) = .12; so it is for propagated logits alone.
    """
    spread = probabilities.clamp(min=SMALLEST)
    return (spread / spread.sum(1, keepdim=True)).log()


def make_propagation(
    *,
    backbone: str,
    output_stride: int,
    head: HeadName,
    width: int | None = None,
    per_class: bool,
    unary: Mapping[str, Any],
    propagated: Propagated = "probabilities",
) -> PropagationNetwork:
    """A propagation network with random weights.

    Args:
        backbone, output_stride, head, width: of the guidance network, see `make_segmenter`.
        per_class: affinities for each label apart (G = C, as in the paper), or shared by all (G = 1).
        unary: arguments of `make_segmenter` for the unary network.
        propagated: what of the unary network's is propagated, see `PropagationNetwork`.

    Raises:
        InputError: no such backbone or head.
    """
    inner = make_segmenter(**unary)
    trunk = make_backbone(backbone, output_stride=output_stride)
    groups = unary["n_classes"] if per_class else 1
    guidance = make_head(head, trunk, n_outputs=12 * groups, width=width)
    network = PropagationNetwork(trunk, guidance, inner, propagated=propagated)
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def propagation_from(
    start: Path,
    unary: Segmenter,
    description: Mapping[str, Any],
    *,
    classes: Sequence[str],
    head: HeadName,
    width: int | None,
    per_class: bool,
    propagated: Propagated = "probabilities",
) -> tuple[PropagationNetwork, dict[str, Any]]:
    """A propagation network and its description; its guidance starts from the backbone in `start`, or another guidance.

    Args:
        unary, description: what `load_segmenter` gives of the unary network, asked for `classes`.
        classes: names of the labels, background first.

    Raises:
        InputError: no model in `start`.
    """
    name, stride = backbone_of(start)
    inner = {key: value for key, value in description.items() if key not in ("kind", "classes", "pool")}
    inner["n_classes"] = len(classes)
    arguments: dict[str, Any] = {
        "backbone": name,
        "output_stride": stride,
        "head": head,
        "width": width,
        "per_class": per_class,
        "unary": inner,
        "propagated": propagated,
    }
    network = make_propagation(**arguments)
    start_from(network, start, classifier=read_description(start)["kind"] == "propagation")
    network.unary.load_state_dict(unary.state_dict())
    return network, {"kind": "propagation", **arguments}
