"""How a network is fitted: presets, losses, the state of a run."""
