"""The CRF neighbourhood: a pixel's distribution should be the one its neighbours give it (Pandey & Dukkipati 2017)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor
from torch.nn import functional as F

from wsss_core.crf.filtering import GaussianFilter, Method
from wsss_core.crf.neighbour_mean import GridFilter, Normalised, neighbour_mean

Form = Literal["exponentiated", "weighted_mean"]
NeighbourTarget = Literal["gradient", "detached"]


@dataclass(frozen=True, kw_only=True)
class NeighbourhoodKL:
    """mean_i KL(p_i ‖ p_nb,i) over the pixels of a batch (eq. 8), where p_nb comes from all other pixels j ≠ i.

    The kernel is that of a dense CRF: bilateral plus spatial (eq. 11). Widths in space are given in pixels of the
    image and divided by the network's output stride, read from the two sizes.

    The paper states KL(p ‖ p_nb) as an objective of the network's output, with p_nb a function of the same output, and
    argues from the minimum of that function (all pixels one label); it mentions no constant target. So gradients run
    through p and p_nb unless `neighbour_target` is "detached".

    Attributes:
        form: "weighted_mean", p_nb = Σ_j k̂ p_j with one joint normalisation (eq. 10), or "exponentiated",
            p_nb ∝ exp(Σ_j k̂ p_j) (eq. 12).
        normalised: k̂ of the exponentiated form. "each": each kernel has sum 1 before its weight is applied. "joint":
            k̂ has sum 1, as eq. 12 writes it; its exponents lie in [0, 1], so that p_nb is almost uniform over many
            labels. "none": the raw symmetric kernel, the dense CRF of Proposition 3.1.
        neighbour_target: "gradient" or "detached".
        gaussian_sigma, gaussian_weight: width in pixels and weight of the spatial kernel.
        bilateral_xy, bilateral_rgb, bilateral_weight: widths in pixels and in 0..255, and weight, of the bilateral one.
        exact_up_to: on grids of more nodes the bilateral kernel is a permutohedral lattice, otherwise all pairs.

    Raises:
        ValueError: an unknown option, a width or weight that is not positive.
    """

    form: Form = "exponentiated"
    normalised: Normalised = "each"
    neighbour_target: NeighbourTarget = "gradient"
    gaussian_sigma: float = 3.0
    gaussian_weight: float = 3.0
    bilateral_xy: float = 80.0
    bilateral_rgb: float = 13.0
    bilateral_weight: float = 10.0
    exact_up_to: int = 1024

    def __post_init__(self) -> None:
        if self.form not in get_args(Form):
            raise ValueError(f"form must be one of {get_args(Form)}, got {self.form!r}")
        if self.normalised not in get_args(Normalised):
            raise ValueError(f"normalised must be one of {get_args(Normalised)}, got {self.normalised!r}")
        if self.neighbour_target not in get_args(NeighbourTarget):
            raise ValueError(
                f"neighbour_target must be one of {get_args(NeighbourTarget)}, got {self.neighbour_target!r}"
            )
        for name in ("gaussian_sigma", "gaussian_weight", "bilateral_xy", "bilateral_rgb", "bilateral_weight"):
            if not getattr(self, name) > 0:
                raise ValueError(f"expected {name} > 0, got {getattr(self, name)}")

    def __call__(self, logits: Tensor, images: Tensor, valid: Tensor | None = None) -> Tensor:
        """The loss.

        Args:
            logits: float (B, K, h, w), h and w ≥ 2.
            images: RGB float in 0..255, (B, 3, s·(h − 1) + 1, s·(w − 1) + 1) for an output stride s.
            valid: bool (B, h, w), False on padding, whose nodes are no one's neighbours; None for all.

        Returns:
            A scalar ≥ 0, the mean over valid nodes; images with fewer than two of them are left out.

        Raises:
            ValueError: sizes that are not one stride apart.
        """
        stride = _stride(logits, images)
        colours = F.interpolate(images.detach().float(), logits.shape[2:], mode="bilinear", align_corners=True)
        with torch.autocast(logits.device.type, enabled=False):
            log_p = logits.to(torch.promote_types(logits.dtype, torch.float32)).log_softmax(1)
            p = log_p.exp()
            source = p.detach() if self.neighbour_target == "detached" else p
            inside = torch.ones_like(p[:, 0], dtype=torch.bool) if valid is None else valid
            total, count = p.sum() * 0, 0  # a batch without a valid node has a gradient of zeros
            for i, there in enumerate(inside):
                if (n := int(there.sum())) > 1:
                    of, log_of, other, colour = (x[i].permute(1, 2, 0)[there] for x in (p, log_p, source, colours))
                    log_neighbours = self.log_neighbours(other, colour, there, stride)
                    total, count = total + (of * (log_of - log_neighbours)).sum(), count + n
            return total / max(count, 1)

    def log_neighbours(self, p: Tensor, colours: Tensor, inside: Tensor, stride: float) -> Tensor:
        """log p_nb (n, K) of the n nodes `inside` a grid, bool (h, w), from their p (n, K) and colours (n, 3)."""
        positions = stride * inside.nonzero().to(p)  # (n, 2) in pixels of the image
        bilateral = torch.cat([positions / self.bilateral_xy, colours.to(p) / self.bilateral_rgb], dim=1)
        method: Method = "exact" if inside.numel() <= self.exact_up_to else "lattice"
        mean = neighbour_mean(
            p,
            (
                GridFilter(inside, self.gaussian_sigma / stride, dtype=p.dtype),
                GaussianFilter(bilateral, method=method, exclude_self=True),
            ),
            (self.gaussian_weight, self.bilateral_weight),
            normalised="joint" if self.form == "weighted_mean" else self.normalised,
        )
        if self.form == "weighted_mean":
            return mean.clamp(min=torch.finfo(mean.dtype).tiny).log()
        return mean.log_softmax(1)


def _stride(logits: Tensor, images: Tensor) -> float:
    """Pixels of the image from one node of the network's grid to the next."""
    fits = logits.ndim == 4 and images.ndim == 4 and images.shape[:2] == (len(logits), 3)
    if not fits or min(logits.shape[2:]) < 2:
        shapes = f"logits {tuple(logits.shape)}, images {tuple(images.shape)}"
        raise ValueError(f"expected logits (B, K, h, w) with h, w ≥ 2 and images (B, 3, H, W), got {shapes}")
    strides = [(pixels - 1) / (nodes - 1) for pixels, nodes in zip(images.shape[2:], logits.shape[2:], strict=True)]
    if strides[0] != strides[1] or strides[0] < 1:
        raise ValueError(f"expected one output stride for both axes, got {strides[0]:.4g} and {strides[1]:.4g}")
    return strides[0]
