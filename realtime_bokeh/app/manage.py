"""Commands for what lies on disk: trained weights and compiled engines."""

from pathlib import Path

import click
from rich.table import Table

from realtime_bokeh.app.display import (
    console,
    counted,
    download_progress,
    libraries_silenced,
    print_table,
    work_progress,
)
from realtime_bokeh.app.options import option
from realtime_bokeh.errors import UsageError


@click.group(invoke_without_command=True)
@click.pass_context
def weights(context: click.Context) -> None:
    """List, import, fetch, quantize and remove weights."""
    if context.invoked_subcommand is None:
        context.invoke(weights_list)


@weights.command("list")
def weights_list() -> None:
    """List the models: what for, how fast, how good."""
    from realtime_bokeh.weights import damaged_models, models

    table = Table("name", "for", "a frame", "in focus", "background left", "runs at", "precisions")
    for model in sorted(models(), key=lambda model: model.frame_ms):
        sharp, left = (model.metrics.get(key) for key in ("in_focus_psnr", "background_energy"))
        table.add_row(
            model.name,
            model.purpose,
            f"{model.frame_ms:.0f} ms",
            "not measured" if sharp is None else f"{sharp:.1f} dB",
            "" if left is None else f"{left:.1%}",
            str(model.inference_size),
            ", ".join(model.precisions()),
        )
    print_table(table)
    click.echo("A frame: of 1280x720, on two cores of a CPU, about. docs/benchmarks.md says more.")
    for damaged in damaged_models():
        click.echo(f"{damaged.problem}; {damaged.remedy}")


_force = click.option("--force", is_flag=True, help="Replace a model of this name")


@weights.command("import")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--name", metavar="NAME", help="For --model (default: the file's name)")
@_force
def weights_import(file: Path, name: str | None, force: bool) -> None:
    """Import a checkpoint.

    FILE is one of the authors' .pth files or a .safetensors file; the model is then chosen with
    --model NAME.
    """
    from realtime_bokeh.checkpoints import import_weights

    model = import_weights(file, name, replace=force)
    click.echo(f"Imported {model.architecture} as {model.name}; use it with --model {model.name}")


@weights.command("fetch")
@click.argument("name", metavar="dmshn-ebb|stacked-ebb")
@_force
def weights_fetch(name: str, force: bool) -> None:
    """Download the authors' checkpoint trained on EBB!"""
    from realtime_bokeh.checkpoints import fetch

    with download_progress(name) as progress:
        model = fetch(name, progress, replace=force)
    click.echo(f"Fetched {model.architecture}; use it with --model {model.name}")


@weights.command("quantize")
@click.argument("name", metavar="NAME")
@click.option("--pictures", metavar="FOLDER", type=click.Path(path_type=Path),
              help="Photos like those that it will see (default: the built-in scene)")  # fmt: skip
def weights_quantize(name: str, pictures: Path | None) -> None:
    """Give an imported model an int8 graph: twice as fast on CPUs.

    The graph is compared with the f32 graph before it is kept.
    """
    from realtime_bokeh.app.export import load_images, need
    from realtime_bokeh.weights import find

    model = find(name)
    if model.shipped:
        raise UsageError(f"{name!r} is a shipped model and has an int8 graph already")
    need("onnx", "onnxscript", "onnxruntime", "nncf")
    from realtime_bokeh.export.int8 import quantize_model

    with work_progress(f"Quantizing {name}") as begin:
        begin()
        images = load_images(pictures, model.seen_size)
        with libraries_silenced():
            _, said = quantize_model(model, images)
    console.print(f"{name} now runs in int8, {said}")


@weights.command("remove")
@click.argument("name", metavar="NAME")
def weights_remove(name: str) -> None:
    """Remove a model that was imported or fetched."""
    from realtime_bokeh.checkpoints import remove

    click.echo(f"Removed {remove(name)}")


@click.group(invoke_without_command=True)
@click.pass_context
def engines(context: click.Context) -> None:
    """List, build and clear TensorRT's compiled engines."""
    if context.invoked_subcommand is None:
        context.invoke(engines_list)


@engines.command("list")
def engines_list() -> None:
    """List the compiled engines.

    Those of other weights or versions are rebuilt when they are needed.
    """
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
        click.echo(f"{counted(len(entries), 'engine')} in {cache.folder()}")
    else:
        click.echo(f"There are no compiled engines yet; they would lie in {cache.folder()}.")


@engines.command("build")
@option("model", "lite")
@click.option(
    "--size", metavar="WxH", default="1280x720", show_default=True, help="Size of the frames"
)
@option("inference_size")
@click.option(
    "--portable", is_flag=True, help="For any GeForce or RTX GPU from 8.0 on; needs no GPU itself"
)
@click.option("--turing", is_flag=True, help="Portable to Turing (7.5) too")
@click.option(
    "--recipe",
    metavar="FILE.toml",
    type=click.Path(path_type=Path),
    help="Build everything that the file names instead",
)
@click.option("--output", metavar="FOLDER", type=click.Path(path_type=Path),
              help="Write there instead of into the cache")  # fmt: skip
def engines_build(
    model: str,
    size: str,
    inference_size: str | None,
    portable: bool,
    turing: bool,
    recipe: Path | None,
    output: Path | None,
) -> None:
    """Compile engines before they are needed."""
    from realtime_bokeh.app.recipes import Recipe, build, load_recipes

    single = Recipe(model, size, inference_size, portable, turing)
    if recipe is not None and single != Recipe("lite"):
        raise UsageError("--recipe says what to build; of the other options only --output goes")
    for wanted in load_recipes(recipe) if recipe else [single]:
        with work_progress(f"Compiling {wanted}") as begin:
            path, built = build(wanted, output, begin)
        verb = "compiled" if built else "was there already"
        console.print(f"{wanted}: {verb}, {path.stat().st_size / 1e6:.1f} MB, {path}")


@engines.command("clear")
def engines_clear() -> None:
    """Remove every compiled engine."""
    from realtime_bokeh.engines import cache

    click.echo(f"Removed {counted(cache.clear(), 'file')} from {cache.folder()}")
