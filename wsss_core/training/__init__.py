"""One training loop, its settings, its checkpoints; the loss is an argument. Import from the modules."""
