import threading
from collections.abc import Callable

import pytest

from realtime_bokeh.mailbox import Closed, Mailbox, Policy


def _start(body: Callable[[], object]) -> tuple[threading.Thread, list[BaseException]]:
    """Run a body on a thread; what it raises is found in the list after join."""
    raised: list[BaseException] = []

    def guarded() -> None:
        try:
            body()
        except Closed as error:
            raised.append(error)

    thread = threading.Thread(target=guarded, daemon=True)
    thread.start()
    return thread, raised


def test_overwriting_keeps_the_newest_and_counts_the_others() -> None:
    box: Mailbox[int] = Mailbox(Policy.NEWEST_WINS)
    for item in range(5):
        box.put(item)
    assert box.get() == 4
    assert box.dropped == 4


def test_waiting_loses_nothing() -> None:
    box: Mailbox[int] = Mailbox(Policy.EVERY_ITEM)

    def write() -> None:
        for item in range(200):
            box.put(item)
        box.finish()

    thread, _ = _start(write)
    assert [box.get() for _ in range(200)] == list(range(200))
    with pytest.raises(Closed):
        box.get()
    thread.join(5)
    assert box.dropped == 0


def test_the_writers_last_item_is_still_taken() -> None:
    box: Mailbox[str] = Mailbox(Policy.EVERY_ITEM)
    box.put("last")
    box.finish()
    assert box.get() == "last"
    with pytest.raises(Closed):
        box.get()


def test_closing_wakes_a_waiting_writer() -> None:
    box: Mailbox[int] = Mailbox(Policy.EVERY_ITEM)
    box.put(1)
    thread, raised = _start(lambda: box.put(2))
    box.close()
    thread.join(5)
    assert not thread.is_alive()
    assert len(raised) == 1


def test_closing_wakes_a_waiting_reader() -> None:
    box: Mailbox[int] = Mailbox(Policy.NEWEST_WINS)
    thread, raised = _start(box.get)
    box.close()
    thread.join(5)
    assert not thread.is_alive()
    assert len(raised) == 1


def test_a_closed_box_gives_and_takes_nothing() -> None:
    box: Mailbox[int] = Mailbox(Policy.NEWEST_WINS)
    box.put(1)
    box.close()
    with pytest.raises(Closed):
        box.get()
    with pytest.raises(Closed):
        box.put(2)


def test_patience_ends() -> None:
    with pytest.raises(TimeoutError):
        Mailbox[int](Policy.NEWEST_WINS).get(timeout=0.01)
