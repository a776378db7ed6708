"""What training minimises: pure functions of logits and targets, and the losses that a stage hands to the train loop.

A loss is called with the network's output and the batch and returns named scalar terms whose sum is minimised.
"""
