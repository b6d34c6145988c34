"""Writing the networks in the formats of other runtimes. Needs the `export` extra."""
