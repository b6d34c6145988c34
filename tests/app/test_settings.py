from pathlib import Path
from typing import Any

import pytest

from realtime_bokeh.app.settings import (
    Settings,
    environment,
    load_settings,
    load_with_origins,
)
from realtime_bokeh.errors import UsageError
from realtime_bokeh.sizes import Size


def _profile(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "p.toml"
    path.write_text(text)
    return path


def test_defaults() -> None:
    assert load_settings(None, {"strength": None, "mirror": None}) == Settings()


def test_flags_override_the_profile_which_overrides_the_defaults(tmp_path: Path) -> None:
    profile = _profile(
        tmp_path,
        'model = "dmshn"\nstrength = 0.25\nsmoothing = 1\nmirror = true\nsize = "640x360"\n'
        'inference-size = "full"\nfps = 25\n',
    )
    found = load_settings(profile, {"strength": "0.75", "size": "320x240", "model": None})
    assert found == Settings(
        model="dmshn", strength=0.75, smoothing=1, mirror=True, size=Size(240, 320),
        inference_size="full", fps=25,
    )  # fmt: skip


def test_sizes_are_written_width_by_height() -> None:
    found = load_settings(None, {"size": "1280x720", "inference_size": "256x144"})
    assert (found.size, found.inference_size) == (Size(720, 1280), Size(144, 256))


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        ({"strength": "2.0"}, "--strength 2 is out of range; give 0 to 1"),
        ({"strength": "nan"}, "--strength nan is out of range"),
        ({"smoothing": "-0.1"}, "--smoothing -0.1 is out of range"),
        ({"fps": "0.5"}, "--fps 0.5 is out of range; give 1 to 240"),
        ({"size": "12"}, "--size '12' is not a size; write it like 1280x720"),
        ({"size": "full"}, "--size 'full' is not a size"),
        ({"size": "0x720"}, "--size 0x720 is out of range"),
        ({"size": "99999x720"}, "--size 99999x720 is out of range"),
        ({"inference_size": "7x7"}, "--inference-size 7x7 is out of range"),
        ({"inference_size": "big"}, "--inference-size 'big' is not a size; write it like 256x144"),
        ({"engine": "foo"}, "--engine 'foo' is unknown; choose auto, openvino, "),
        ({"precision": "f64"}, "--precision 'f64' is unknown; choose f32, f16, int8"),
    ],
)
def test_a_bad_value_is_explained(flags: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_settings(None, flags)
    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a b", "is not TOML"),
        ("\udcff", "is not TOML"),
        ("strenght = 1", "'strenght' is unknown; did you mean strength"),
        ("zzz = 1", "'zzz' is unknown; there are camera, wait"),
        ('strength = "x"', "strength = 'x' is not a number"),
        ("strength = true", "strength = True is not a number"),
        ("smoothing = false", "smoothing = False is not a number"),
        ("mirror = 1", "mirror = 1 is not true or false"),
        ("model = 3", "model = 3 is not a text"),
        ("[size]\nwidth = 3", "size = .* is not a size in quotes"),
        ("strength = 3", "--strength 3 is out of range"),
        ("strength = nan", "--strength nan is out of range"),
    ],
)
def test_a_bad_profile_is_explained(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "p.toml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(UsageError, match=sentence) as caught:
        load_settings(path, {})
    assert "\n" not in str(caught.value)


def test_a_missing_profile_is_explained(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        load_settings(tmp_path / "none.toml", {})


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("\n# strength\n strength = 3", 3),
        ('"strength" = 3', 1),
        ("fps = 30\n[size]\nwidth = 3", 2),
        ("inference-size = 7", 1),
    ],
)
def test_a_bad_entry_is_named_with_its_line(tmp_path: Path, text: str, line: int) -> None:
    path = _profile(tmp_path, text)
    with pytest.raises(UsageError) as caught:
        load_settings(path, {})
    assert str(caught.value).startswith(f"Profile {path}, line {line}: ")


def test_variables_stand_between_flags_and_the_profile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = _profile(tmp_path, 'model = "dmshn"\nstrength = 7\nsmoothing = 1\nmirror = true')
    for name, text in {"STRENGTH": "0.25", "MIRROR": "False", "STACKED": "1", "FPS": "300",
                       "WAIT": "", "CODEC": "no option of live use"}.items():  # fmt: skip
        monkeypatch.setenv(f"REALTIME_BOKEH_{name}", text)
    found, origins = load_with_origins(profile, {"fps": "25"}, environment())
    assert found == Settings(model="stacked", strength=0.25, smoothing=1, mirror=False, fps=25)
    assert origins == {
        "model": "REALTIME_BOKEH_STACKED", "strength": "REALTIME_BOKEH_STRENGTH",
        "smoothing": str(profile), "mirror": "REALTIME_BOKEH_MIRROR", "fps": "--fps",
    }  # fmt: skip
    found, _ = load_with_origins(profile, {"fps": "25", "stacked": False}, environment())
    assert found.model == "lite"


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("strength", "x", "REALTIME_BOKEH_STRENGTH: --strength 'x' is not a number"),
        ("strength", "3", "REALTIME_BOKEH_STRENGTH: --strength 3 is out of range"),
        ("mirror", "yes", "REALTIME_BOKEH_MIRROR: --mirror 'yes' is not true or false"),
        ("inference_size", "7", "REALTIME_BOKEH_INFERENCE_SIZE: --inference-size '7' is not a"),
    ],
)
def test_a_bad_variable_is_explained(name: str, text: str, sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_settings(None, {}, {name: text})
    assert str(caught.value).startswith(sentence)
