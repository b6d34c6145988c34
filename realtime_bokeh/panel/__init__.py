"""The control page: a small server on this computer alone, its API, and what speaks to it."""

PORT = 7531
"""On which it is served, if no other is chosen."""
