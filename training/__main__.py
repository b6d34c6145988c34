"""What there is to train and to measure with, each command with an example.

python -m training
"""

import ast
import sys
from pathlib import Path

from realtime_bokeh.errors import UsageError
from training import cli

COMMANDS = ("train", "together", "curves", "evaluate", "paper", "rating", "release")


def overview() -> str:
    """A line and an example for every command, from the docstrings of their modules."""
    parts = ["Train the networks, measure them, release their weights.", ""]
    for name in COMMANDS:
        source = Path(__file__).with_name(f"{name}.py").read_text()
        # parsed, not imported: a command takes seconds to import
        summary, example, *_ = (ast.get_docstring(ast.parse(source)) or "").split("\n\n")
        first, *more = example.splitlines()
        parts.append(f"{name:10}{summary}")
        parts.append(f"{'':10}  {first.strip()}")
        parts += [f"{'':10}    {line.strip()}" for line in more if line.startswith("     ")]
    return "\n".join([*parts, "", "Options: python -m training.COMMAND --help. "
                      "The folders of photographs: training/README.md."])  # fmt: skip


def main() -> None:
    if sys.argv[1:] not in ([], ["-h"], ["--help"]):
        raise UsageError(
            f"python -m training takes no arguments; try python -m training.{sys.argv[1]} --help"
            if sys.argv[1] in COMMANDS
            else f"there is no command {sys.argv[1]}; python -m training lists them"
        )
    print(overview())


if __name__ == "__main__":
    cli.run(main)
