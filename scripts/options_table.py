"""Write the table of options into the README, from the one table in the code.

python scripts/options_table.py
"""

import re
from pathlib import Path

from realtime_bokeh.app.options import markdown_table
from realtime_bokeh.app.settings import defaults

README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- options:begin -->", "<!-- options:end -->"


def with_table(text: str) -> str:
    """A document with what stands between the two marks replaced by the present table."""
    between = re.compile(f"(?<={re.escape(BEGIN)}\n).*(?={re.escape(END)})", re.DOTALL)
    return between.sub(lambda _: markdown_table(defaults()), text)


if __name__ == "__main__":
    README.write_text(with_table(README.read_text(encoding="utf-8")), encoding="utf-8")
