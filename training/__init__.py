"""Training of the networks: synthetic pairs, losses, the trainer, evaluation. Not in the wheel."""

import os

# PyTorch's threads wait for each other by turning in a loop unless told to sleep before they start.
# That takes the core that another process, such as the one that renders samples, would work on.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
