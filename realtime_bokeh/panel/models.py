"""What the panel's API takes and gives; the OpenAPI document is made from this."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Text = Annotated[str, Field(min_length=1, max_length=1000)]
NetworkSize = Annotated[
    str,
    Field(
        pattern=r"^(auto|full|[1-9][0-9]{1,4}x[1-9][0-9]{1,4})$",
        description="WIDTHxHEIGHT, full, or auto: what the model was made for",
    ),
]
ProfileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")]
Phase = Literal["stopped", "starting", "running", "stopping"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Settings(_Model):
    """What a run is told. In a request every key may be left out, and stays as it is then."""

    camera: Text = "demo"
    model: Text = "lite"
    engine: Literal["auto", "openvino", "pytorch", "tensorrt"] = "auto"
    inference_size: NetworkSize = "auto"
    strength: Share = 1.0
    smoothing: Share = 0.5
    mirror: bool = False
    off: Annotated[bool, Field(description="Shows the camera as it is, without blur")] = False
    blank: Annotated[bool, Field(description="Shows a card; the camera is released")] = False
    frozen: Annotated[bool, Field(description="Keeps the latest picture likewise")] = False


class Measured(_Model):
    """Figures of the run: rates over the latest 60 frames, times over the latest 600."""

    fps_in: float
    fps_out: float
    latency_p50_ms: float = Field(description="From a frame's capture to its delivery")
    latency_p99_ms: float
    effect_ms: float = Field(description="For which a frame occupies the effect, the median")
    dropped: int = Field(description="Frames that a newer one replaced")


class State(_Model):
    """Everything about the run at present."""

    running: bool
    phase: Phase
    trouble: str = Field(description="What is wrong, or why the run ended; empty when all is well")
    settings: Settings
    measured: Measured | None
    engine: str = Field(description="The model and what runs it; empty when stopped")
    lesser: str = Field(description="What it renders with instead, to hold the rate; else empty")
    camera_open: bool
    watched: bool = Field(description="Whether somebody sees the output")
    output: str
    frame: str = Field(description="The output's size, WIDTHxHEIGHT; empty when stopped")
    version: str


class Choice(_Model):
    """One value of a setting."""

    name: str
    label: str


class Choices(_Model):
    """What can be chosen on this computer."""

    cameras: list[Choice]
    models: list[Choice]
    engines: list[Choice]
    inference_sizes: list[Choice]


class Profile(_Model):
    """Settings that were saved."""

    name: ProfileName


class Profiles(_Model):
    """Every profile there is."""

    profiles: list[Profile]


class Error(_Model):
    """Why a request was refused."""

    error: str = Field(description="One sentence with the remedy")
