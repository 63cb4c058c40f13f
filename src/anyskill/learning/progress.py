"""What a run looks like from outside: where its time goes and when it will be done."""

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

import torch
from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

PLAIN_INTERVAL = 10.0  # s between lines where there is no terminal


class PhaseTimer:
    """Wall time by named phase: ``with timer("physics"): …``.

    Args:
        device: A GPU's own clock is read (events in its stream), and it is waited for in ``take`` alone.
    """

    def __init__(self, device: torch.device | str = "cpu") -> None:
        self._device = torch.device(device)
        self._blocks: list[tuple[str, Any, Any]] = []  # phase and the moments of its begin and end

    @contextmanager
    def __call__(self, phase: str) -> Iterator[None]:
        """Book the time of a block under a phase."""
        begin = self._moment()
        try:
            yield
        finally:
            self._blocks.append((phase, begin, self._moment()))

    def take(self) -> dict[str, float]:
        """Seconds of every phase since the last call."""
        on_gpu = self._device.type == "cuda"
        if on_gpu:
            torch.cuda.synchronize(self._device)
        seconds: dict[str, float] = defaultdict(float)
        for phase, begin, end in self._blocks:
            seconds[phase] += begin.elapsed_time(end) / 1000 if on_gpu else end - begin
        self._blocks = []
        return dict(seconds)

    def _moment(self) -> Any:
        if self._device.type != "cuda":
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)
        event.record(torch.cuda.current_stream(self._device))
        return event


class Progress:
    """A live view on a terminal, a plain line now and then anywhere else.

    Args:
        title: Of the run.
        total: Iterations when it is done.
        done: Iterations done before.
        shown: Names of the metrics worth a place, in order.
        console: Where to; standard error by default.
    """

    def __init__(
        self,
        title: str,
        total: int,
        done: int = 0,
        shown: tuple[str, ...] = ("reward", "episode_length"),
        console: Console | None = None,
    ) -> None:
        self.title, self.total, self.shown = title, total, shown
        self._first, self._start = done, time.monotonic()
        self._last_line = -PLAIN_INTERVAL
        self._console = console or Console(stderr=True)
        self._live = Live(console=self._console, refresh_per_second=4, transient=False)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def update(
        self, done: int, samples_per_second: float, phases: Mapping[str, float], metrics: Mapping[str, float]
    ) -> None:
        """Show the state after an iteration.

        Args:
            done: Iterations done.
            samples_per_second: Of this iteration.
            phases: Seconds by phase of this iteration.
            metrics: Of this iteration; those named in ``shown`` appear.
        """
        now = time.monotonic()
        left = (now - self._start) / max(done - self._first, 1) * (self.total - done)
        line = f"{done}/{self.total}  {samples_per_second:,.0f} samples/s  {timedelta(seconds=round(left))} left"
        values = [f"{name} {metrics[name]:.4g}" for name in self.shown if name in metrics]
        whole = sum(phases.values()) or 1.0
        shares = [f"{name} {seconds / whole:.0%}" for name, seconds in phases.items()]
        if self._console.is_terminal:
            self._live.update(self._view(done, line, values, shares))
        elif done == self.total or now - self._last_line >= PLAIN_INTERVAL:
            self._last_line = now
            self._console.print(
                f"{self.title} " + "  ".join((line, *values, *shares)), soft_wrap=True, highlight=False, markup=False
            )

    def _view(self, done: int, line: str, values: list[str], shares: list[str]) -> Table:
        table = Table.grid(padding=(0, 2))
        table.add_row(Text(self.title, style="bold"), ProgressBar(self.total, done, width=60))
        for name, parts in (("", [line]), ("learning", values), ("time", shares)):
            if parts:
                table.add_row(Text(name, style="dim"), Text("   ".join(parts)))
        return table
