from pathlib import Path
from typing import Any

import pytest

from realtime_bokeh.app import recipes
from realtime_bokeh.app.recipes import Recipe, load_recipes
from realtime_bokeh.engines import cache
from realtime_bokeh.errors import UsageError
from realtime_bokeh.sizes import Size
from tests.program import Command

SHIPPED = Path(__file__).parents[2] / "engines" / "recipes.toml"


def test_the_shipped_recipe_covers_every_model_at_hd() -> None:
    found = load_recipes(SHIPPED)
    assert {r.model for r in found} == {"lite", "dmshn", "stacked"}
    assert all(r.portable and r.size == "1280x720" for r in found)
    assert {r.model for r in found if r.inference_size == "full"} == {"dmshn", "stacked"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no [[engine]]"), ("engine = 1", "no [[engine]]"), ("[engine]", "no [[engine]]"),
        ("[[engine]]", "no model"), ("x =", "not TOML"),
        ('[[engine]]\nmodel = "lite"\nsise = "1x1"', "'sise' is unknown"),
        ('[[engine]]\nmodel = "lite"\nportable = "yes"', "not true or false"),
        ("[[engine]]\nmodel = 1", "not a text in quotes"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_recipe_is_said(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "recipes.toml"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        load_recipes(path)
    assert says in str(caught.value)
    assert "recipes.toml" in str(caught.value)


@pytest.mark.parametrize(
    ("recipe", "says"),
    [
        (Recipe("light", portable=True), "no model"), (Recipe("lite", "big"), "not a size"),
        (Recipe("lite", "8x720"), "16 to 16384"),
        (Recipe("lite", inference_size="1"), "not a size"),
        (Recipe("lite", inference_size="99999x16"), "16 to 16384"),
        (Recipe("lite", turing=True), "add --portable"),
    ],
)  # fmt: skip
def test_what_cannot_be_built_is_said(recipe: Recipe, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        recipes.build(recipe, None, lambda: None)


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Any]:
    """Keys of what was compiled, by a stand-in."""
    pytest.importorskip("tensorrt_rtx")
    seen: list[Any] = []

    def compile_engine(trt: object, model: object, key: cache.Key) -> bytes:
        seen.append(key)
        return b"engine"

    monkeypatch.setattr("realtime_bokeh.engines.tensorrt.compile_engine", compile_engine)
    monkeypatch.setenv("REALTIME_BOKEH_CACHE", str(tmp_path / "cache"))
    return seen


def test_a_recipe_is_built_once(compiled: list[Any]) -> None:
    recipe = Recipe("dmshn", "640x480", "full", portable=True)
    path, built = recipes.build(recipe, None, lambda: None)
    assert built
    assert recipes.build(recipe, None, lambda: None) == (path, False)
    (key,) = compiled
    assert (key.frame, key.inference, key.gpu) == (Size(480, 640), Size(480, 640), cache.PORTABLE)
    assert cache.load(key) == b"engine"


def test_the_command_builds_lists_and_clears(
    compiled: list[Any], command: Command, tmp_path: Path
) -> None:
    build = ("engines", "build", "--recipe", SHIPPED)
    assert command(*build, "--output", tmp_path / "out").status == 0
    assert len(list((tmp_path / "out").glob("*-portable-*.engine"))) == len(compiled) == 5
    assert command("engines", "list").out.startswith("There are no compiled engines yet")
    outcome = command(*build)
    assert outcome.status == 0
    assert len(outcome.lines) == 5
    assert "compiled" in outcome.lines[0]
    assert "was there already" in command(*build).lines[4]
    damaged = next(entry.path for entry in cache.entries())
    damaged.write_bytes(b"")
    listed = command("engines").out
    assert "damaged" in listed
    assert "5 engines in " in listed
    assert command("engines", "clear").out.startswith("Removed 5 files")
    assert cache.entries() == []


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["--recipe", "none.toml"], 2, "cannot be read"),
        (["--recipe", str(SHIPPED), "--model", "dmshn"], 2, "only --output goes"),
        (["--turing"], 2, "add --portable"),
        ([], 1, "no NVIDIA driver"),
    ],
)  # fmt: skip
def test_mistakes_are_one_sentence(
    command: Command, monkeypatch: pytest.MonkeyPatch, arguments: list[str], status: int, says: str
) -> None:
    monkeypatch.setattr(recipes, "why_not_tensorrt", lambda: "no NVIDIA driver was found")
    outcome = command("engines", "build", *arguments)
    assert outcome.status == status
    assert len(outcome.lines) == 1
    assert says in outcome.lines[0]
