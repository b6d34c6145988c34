"""Training of the networks: synthetic pairs, losses, the trainer, evaluation. Not in the wheel."""
