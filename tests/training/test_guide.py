import re
from pathlib import Path

import training


def test_table_of_modules_is_of_the_folders() -> None:
    folder = Path(training.__file__).parent
    modules = {
        str(path.relative_to(folder)) for path in folder.rglob("*.py") if path.name != "__init__.py"
    }
    named: set[str] = set()
    for line in (folder.parent / "docs/training.md").read_text("utf-8").splitlines():
        if line.startswith("| `"):
            names = re.findall(r"`([\w/]+\.py)`", line.split("|")[1])
            place = names[0].rpartition("/")[0] if names else ""
            named |= {name if "/" in name or not place else f"{place}/{name}" for name in names}
    assert named == modules
