"""Propagation of maps by learned affinities: the spatial propagation network, and the random walk as its contrast."""

from wsss_core.affinity.propagation import propagate, scans, stable
from wsss_core.affinity.random_walk import affinities, random_walk, transition

__all__ = ["affinities", "propagate", "random_walk", "scans", "stable", "transition"]
