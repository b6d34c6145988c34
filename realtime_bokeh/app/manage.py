"""Subcommands for what is kept on disk: trained weights and compiled engines."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from realtime_bokeh.app.display import console, download_progress, print_table, work_progress
from realtime_bokeh.errors import UsageError

Option = typer.Option
weights_app = typer.Typer(help="List, import and fetch trained weights.")
engines_app = typer.Typer(help="List, build and clear the compiled engines of TensorRT.")


@weights_app.callback(invoke_without_command=True)
def weights_list(context: typer.Context) -> None:
    if context.invoked_subcommand is not None:
        return
    from realtime_bokeh.weights import models

    table = Table("name", "network", "runs at", "precisions", "made")
    for model in models():
        size = str(model.inference_size)
        precisions = ", ".join(model.precisions())
        table.add_row(model.name, model.architecture, size, precisions, model.origin)
    print_table(table)


@weights_app.command("import")
def weights_import(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The authors' .pth or .safetensors")],
    name: Annotated[str | None, Option(metavar="NAME", help="For --model")] = None,
) -> None:
    """Import a checkpoint; it is then chosen with --model NAME."""
    from realtime_bokeh.checkpoints import import_weights

    model = import_weights(file, name)
    print(f"Imported {model.architecture} as {model.name}; use it with --model {model.name}")


@weights_app.command("fetch")
def weights_fetch(
    name: Annotated[str, typer.Argument(metavar="dmshn-ebb|stacked-ebb")],
) -> None:
    """Download the authors' checkpoint trained on EBB!, verify and import it."""
    from realtime_bokeh.checkpoints import fetch

    with download_progress(name) as progress:
        model = fetch(name, progress)
    print(f"Fetched {model.architecture}; use it with --model {model.name}")


@engines_app.callback(invoke_without_command=True)
def engines(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        engines_list()


@engines_app.command("list")
def engines_list() -> None:
    """What the cache holds; engines of other weights or versions are rebuilt when needed."""
    from realtime_bokeh.engines import cache

    entries = cache.entries()
    table = Table("model", "frame", "network", "for", "runtime", "holds", "size")
    for entry in entries:
        key, size = entry.key, f"{entry.size / 1e6:.1f} MB"
        if key is None:
            table.add_row(entry.path.name, "", "", "", "", "damaged", size)
            continue
        current = "" if cache.is_current(key) else " (old)"
        sizes = str(key.frame), str(key.inference)
        table.add_row(key.model, *sizes, key.gpu, key.runtime, key.holds + current, size)
    if entries:
        print_table(table)
    print(f"{len(entries)} in {cache.folder()}")


@engines_app.command("build")
def engines_build(
    model: Annotated[str, Option(metavar="NAME", help="lite, dmshn, stacked, ...")] = "lite",
    size: Annotated[str, Option(metavar="WxH", help="Size of the frames")] = "1280x720",
    inference_size: Annotated[
        str | None, Option(metavar="WxH|full", help="Size at which the network runs")
    ] = None,
    portable: Annotated[
        bool, Option("--portable", help="For any GeForce or RTX GPU; needs none itself")
    ] = False,
    turing: Annotated[bool, Option("--turing", help="Portable also to Turing (7.5)")] = False,
    recipe: Annotated[
        Path | None, Option(metavar="FILE.toml", help="Build everything that it names instead")
    ] = None,
    output: Annotated[
        Path | None, Option(metavar="FOLDER", help="Write there instead of the cache")
    ] = None,
) -> None:
    """Compile engines ahead of their use."""
    from realtime_bokeh.app.recipes import Recipe, build, load_recipes

    single = Recipe(model, size, inference_size, portable, turing)
    if recipe is not None and single != Recipe("lite"):
        raise UsageError("--recipe says what to build; leave the other options out, but --output")
    for wanted in load_recipes(recipe) if recipe else [single]:
        with work_progress(f"Compiling {wanted}") as begin:
            path, built = build(wanted, output, begin)
        verb = "compiled" if built else "was there already"
        console.print(f"{wanted}: {verb}, {path.stat().st_size / 1e6:.1f} MB, {path}")


@engines_app.command("clear")
def engines_clear() -> None:
    """Remove every compiled engine from the cache."""
    from realtime_bokeh.engines import cache

    print(f"{cache.clear()} files removed from {cache.folder()}")
