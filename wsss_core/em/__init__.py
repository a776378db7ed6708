"""E-steps: from a network's scores and an image's labels to supervision."""

from wsss_core.em.posterior import class_restricted_posterior, mixed_with_labels, restricted_argmax

__all__ = ["class_restricted_posterior", "mixed_with_labels", "restricted_argmax"]
