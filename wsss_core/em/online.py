"""Online EM: the E-step is taken anew inside every training step, from the scores of that moment and the tags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from wsss_core.em.estep import EStep, equal_parts
from wsss_core.losses.neighbourhood import NeighbourhoodKL
from wsss_core.losses.soft_targets import labelled_pixels, one_hot
from wsss_core.losses.upsample import on_grid

# Score of a class that the photo's data set does not tell apart: e to this power is 0, and a product with 0 is 0.
UNKNOWN = -1e4


@dataclass(frozen=True, kw_only=True)
class OnlineEM:
    """Cross-entropy to masks where there are any and to the E-step's result elsewhere, plus λ times neighbourhood KL.

    Both on the network's own grid; padding has no part in either. Papandreou et al. 2015, §3.1 to 3.4; Pandey &
    Dukkipati 2017, §3.3 and 3.4.

    Attributes:
        estep: what the scores and the tags give.
        tags_first: share of the training, in [0, 1], in which every pixel is given the image's labels in equal parts,
            background among them (with boxes, the classes in whose boxes it lies, or background), before the first
            E-step: a network that does not know the classes would settle on any pixels that are alike in all photos.
        neighbourhood_weight: λ in [0, 1]; 0 leaves the term out.
        neighbourhood: which neighbourhood, and its kernels.

    Raises:
        ValueError: λ or `tags_first` outside [0, 1].
    """

    estep: EStep = field(default_factory=EStep)
    tags_first: float = 0.0
    neighbourhood_weight: float = 0.0
    neighbourhood: NeighbourhoodKL = field(default_factory=NeighbourhoodKL)

    def __post_init__(self) -> None:
        for name in ("tags_first", "neighbourhood_weight"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be in [0, 1], got {getattr(self, name)}")

    def __call__(
        self, output: Tensor, batch: Mapping[str, Tensor], *, classes: Sequence[str] | None = None
    ) -> dict[str, Tensor]:
        """Terms to minimise, and what the E-step did.

        Args:
            output: logits, float (B, C, h, w), nodes on the photo's corners.
            batch: `image` (B, 3, S, S) in 0..255, `tags` (B, C − 1), `valid` bool (B, S, S). From a `Mixture` also
                `labelled` bool (B,) and `labels` int64 (B, S, S); `known` bool (B, C), classes that compete; `boxes`
                bool (B, C, S, S).
            classes: their names for the log; numbers if None.

        Returns:
            `cross_entropy` ≥ 0 and, unless λ is 0, `neighbourhood` ≥ 0. Of the images that the E-step was taken for,
            without a gradient: `violation` of the shares and `scaled`, the part of the images with more labels than
            the shares allow, means over images; `share_<class>`, each class's part of the supervision's mass.
        """
        valid = on_grid(batch["valid"], output)
        if "known" in batch:
            output = output.masked_fill(~batch["known"][..., None, None], UNKNOWN)
        labelled = batch.get("labelled", torch.zeros(len(output), dtype=torch.bool, device=output.device))
        target = torch.zeros_like(output)  # 0 for all classes where nothing is known
        if labelled.any():
            labels = on_grid(batch["labels"], output)[labelled]
            target[labelled] = one_hot(labels, labelled_pixels(labels, valid[labelled]), output.shape[1]).to(
                target.dtype
            )
        figures: dict[str, Tensor] = {}
        if not labelled.all():
            weak = ~labelled
            boxes = on_grid(batch["boxes"], output)[weak] if "boxes" in batch else None
            tags = batch["tags"][weak] > 0
            present = torch.cat([torch.ones_like(tags[:, :1]), tags], dim=1)
            if "done" in batch and batch["done"] < self.tags_first:
                step = equal_parts(output[weak], present, boxes)
            else:
                step = self.estep(output[weak].detach(), present, valid=valid[weak], boxes=boxes)
            target[weak] = step.target
            figures = {"violation": step.violation.mean(), "scaled": step.scaled.float().mean()}
            mass = torch.where(valid[weak][:, None], step.target, 0.0).sum((0, 2, 3))
            names = classes or range(len(mass))
            figures |= {
                f"share_{name}": share for name, share in zip(names, mass / mass.sum().clamp(min=1), strict=True)
            }
        target = torch.where(valid[:, None], target, 0.0)
        nodes = target.sum().clamp(min=1)
        terms = {"cross_entropy": -(target * output.log_softmax(1)).sum() / nodes}
        if self.neighbourhood_weight:
            terms["neighbourhood"] = self.neighbourhood_weight * self._neighbourhood(output, batch, valid)
        return terms | figures

    def _neighbourhood(self, output: Tensor, batch: Mapping[str, Tensor], valid: Tensor) -> Tensor:
        """The neighbourhood KL, of every image among the classes that its data set knows; mean over valid nodes."""
        if "known" not in batch:
            return self.neighbourhood(output, batch["image"], valid)
        sets, which = batch["known"].unique(dim=0, return_inverse=True)
        groups = [which == number for number in range(len(sets))]
        terms = [
            valid[rows].sum() * self.neighbourhood(output[rows][:, known], batch["image"][rows], valid[rows])
            for known, rows in zip(sets, groups, strict=True)
        ]
        return torch.stack(terms).sum() / valid.sum().clamp(min=1)
