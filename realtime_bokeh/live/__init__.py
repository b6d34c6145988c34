"""Live runs: what goes wrong with the camera or the effect is said, shown as a card and mended."""
