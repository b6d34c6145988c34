"""States of a panel, as its API gives them."""

from typing import Any


def state(phase: str = "running", trouble: str = "", **settings: object) -> dict[str, Any]:
    told = {"strength": 1.0, "blank": False, "off": False, **settings}
    return {"phase": phase, "trouble": trouble, "settings": told}
