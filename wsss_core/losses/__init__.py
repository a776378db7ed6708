"""What training minimises: pure functions of logits and targets, and the losses that a stage hands to the train loop.

A loss is called with the network's output and the batch and returns named scalar terms whose sum is minimised.
"""

from wsss_core.losses.hard_soft import confidence_weight, hard_soft_cross_entropy
from wsss_core.losses.iou_gain import iou_gain
from wsss_core.losses.mining import MiningLoss
from wsss_core.losses.multi_label import multi_label_loss
from wsss_core.losses.saliency import SaliencyLoss
from wsss_core.losses.soft_targets import labelled_pixels, soft_targets
from wsss_core.losses.upsample import upsample

__all__ = [
    "MiningLoss",
    "SaliencyLoss",
    "confidence_weight",
    "hard_soft_cross_entropy",
    "iou_gain",
    "labelled_pixels",
    "multi_label_loss",
    "soft_targets",
    "upsample",
]
