"""Weakly-supervised semantic segmentation as one DVC graph. `wsss_core.open("attention/cam")` opens a cached cue."""

from wsss_core.stores import open_store as open

__all__ = ["open"]
