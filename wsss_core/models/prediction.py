"""How a trained network is asked for label maps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from wsss_core.crf import DenseCRF
from wsss_core.models.inference import infer_maps
from wsss_core.models.propagation import PropagationNetwork
from wsss_core.models.segmenter import Segmenter


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """Section `predict`.

    Attributes:
        scales: factors on the budget's size.
        mirror: also ask for the mirror images.
        join: how the scores of scales and mirror images become one.
        crf: settings of a dense CRF; with it there are also the labels that it makes of the network's probabilities.
        splits: in the graph; val and test if left out, or all images where there is neither.
    """

    scales: tuple[float, ...] = (1.0,)
    mirror: bool = False
    join: Literal["mean", "max"] = "mean"
    crf: DenseCRF | None = None
    splits: tuple[str, ...] | None = None

    def scores(
        self, model: Segmenter | PropagationNetwork, photos: Sequence[np.ndarray], *, size: int
    ) -> Iterator[tuple[int, Tensor]]:
        """Logits of every photo at its true size, float32 (C, H, W), with its index; see `infer_maps`."""
        return infer_maps(
            model,
            photos,
            size=size,
            stride=model.output_stride,
            scales=self.scales,
            mirror=self.mirror,
            join=self.join,
            device=next(model.parameters()).device,
        )


def labels_of(scores: Tensor) -> np.ndarray:
    """Scores (C, H, W) → their labels, uint8 (H, W)."""
    return scores.max(0).indices.cpu().numpy().astype(np.uint8)  # a tenth of argmax's time on a CPU


def labels_after_crf(crf: DenseCRF, photo: np.ndarray, logits: Tensor) -> np.ndarray:
    """The labels of a photo, RGB uint8 (H, W, 3), that a dense CRF makes of its logits (C, H, W): uint8 (H, W)."""
    soft = logits.softmax(0)
    return labels_of(torch.as_tensor(crf(photo, soft if soft.is_cuda else soft.numpy())))
