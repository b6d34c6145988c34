"""Writing the networks in the formats of other runtimes. Needs the `export` extra."""

from typing import Any

from numpy.typing import NDArray

Tensors = dict[str, NDArray[Any]]  # a graph's inputs or outputs by name
