"""The networks and the traceable graph around them: PyTorch only, no input or output."""
