"""Cues: saliency, attention, mined pixels, the easy set, superpixels. Import from the modules: few need torch."""
