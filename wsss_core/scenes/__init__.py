"""The embedded data set: seeded, drawn scenes with labels, masks and boxes."""

from wsss_core.scenes.make import make_scenes

__all__ = ["make_scenes"]
