import os
import signal
import threading

import pytest

from anyskill.learning.signals import StopRequest


@pytest.mark.parametrize("number", StopRequest.SIGNALS)
def test_the_first_signal_asks_and_the_second_acts(number: signal.Signals) -> None:
    heard = []
    previous = signal.signal(number, lambda *_: heard.append(number))
    try:
        with StopRequest() as stop:
            assert not stop.requested
            os.kill(os.getpid(), number)
            assert stop.requested and not heard
            os.kill(os.getpid(), number)
            assert heard == [number]
        os.kill(os.getpid(), number)
        assert heard == [number, number]  # handlers are put back
    finally:
        signal.signal(number, previous)


def test_it_does_nothing_in_another_thread() -> None:
    requested = []

    def work() -> None:
        with StopRequest() as stop:
            requested.append(stop.requested)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert requested == [False]
