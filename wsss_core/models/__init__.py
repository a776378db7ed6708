"""Networks: backbones at any output stride, segmentation heads, attention networks; saving, starting, running them."""

from wsss_core.models.attention import CAM, FCAN, attention_from, make_cam, make_fcan
from wsss_core.models.backbone import Backbone, make_backbone
from wsss_core.models.imagenet import imagenet_weights
from wsss_core.models.inference import infer_maps
from wsss_core.models.saved import load_attention, load_model, load_segmenter, save_model
from wsss_core.models.segmenter import Segmenter, make_segmenter, segmenter_from
from wsss_core.models.start import start_from

__all__ = [
    "CAM",
    "FCAN",
    "Backbone",
    "Segmenter",
    "attention_from",
    "imagenet_weights",
    "infer_maps",
    "load_attention",
    "load_model",
    "load_segmenter",
    "make_backbone",
    "make_cam",
    "make_fcan",
    "make_segmenter",
    "save_model",
    "segmenter_from",
    "start_from",
]
