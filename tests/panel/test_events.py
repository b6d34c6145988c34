"""The stream of states: at once, at every change, twice a second, and signs of life."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import TypeVar

import pytest

pytest.importorskip("fastapi", reason="the extra [panel] is not installed")

from realtime_bokeh.panel import events
from realtime_bokeh.panel.events import Events
from tests.panel.programs import FakeProgram

Found = TypeVar("Found")


def _with_stream(
    program: FakeProgram,
    look: Callable[[AsyncIterator[str], Events], Coroutine[None, None, Found]],
) -> Found:
    """What a look at a program's stream finds, for a minute at most."""

    async def looked() -> Found:
        listeners = Events(program.state)
        program.on_change(listeners.changed)
        return await asyncio.wait_for(look(listeners.stream(), listeners), 60)

    return asyncio.run(looked())


def test_the_state_comes_at_once_and_at_every_change() -> None:
    program = FakeProgram()

    async def look(stream: AsyncIterator[str], listeners: Events) -> None:
        text = await anext(stream)
        assert text == f"event: state\ndata: {program.state().model_dump_json()}\n\n"
        following = asyncio.ensure_future(anext(stream))
        # from another thread, as the server's requests are
        await asyncio.to_thread(program.change, {"strength": 0.25})
        assert '"strength":0.25' in await following
        # what changes while nobody waits is not lost
        await asyncio.to_thread(program.change, {"strength": 0.75})
        assert '"strength":0.75' in await anext(stream)

    _with_stream(program, look)


def test_a_run_is_followed_regularly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "_FIGURES", 0.001)
    program = FakeProgram()
    program.phase = "running"

    async def look(stream: AsyncIterator[str], listeners: Events) -> list[str]:
        return [await anext(stream) for _ in range(3)]

    assert all(text.startswith("event: state\n") for text in _with_stream(program, look))


def test_silence_is_broken_by_comments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "_SIGN_OF_LIFE", 0.001)

    async def look(stream: AsyncIterator[str], listeners: Events) -> list[str]:
        return [await anext(stream) for _ in range(3)]

    assert _with_stream(FakeProgram(), look)[1:] == [": still here\n\n"] * 2


def test_streams_end_with_the_server() -> None:
    async def look(stream: AsyncIterator[str], listeners: Events) -> list[str]:
        await anext(stream)
        listeners.end()
        return [text async for text in stream]

    assert _with_stream(FakeProgram(), look) == []
