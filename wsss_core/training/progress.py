"""What a training shows while it runs: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import logging
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

log = logging.getLogger(__name__)

LINES = 10


class TrainingProgress:
    """Shows step, loss and images per second.

    Args:
        description: what is trained.
        steps: of the whole training.
        done: steps that an earlier run did already.
        shown: false in the processes that stay silent.
    """

    def __init__(self, description: str, steps: int, *, done: int = 0, shown: bool = True) -> None:
        console = Console(stderr=True)
        self.description, self.steps, self.shown = description, steps, shown
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("loss {task.fields[loss]:.4f}  {task.fields[speed]:.1f} images/s"),
            TimeRemainingColumn(),
            console=console,
            disable=not (shown and console.is_terminal),
        )
        self._task = self._bar.add_task(description, total=steps, completed=done, loss=float("nan"), speed=0.0)
        self._start, self._images = time.monotonic(), 0

    def __enter__(self) -> TrainingProgress:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def update(self, done: int, loss: float, images: int) -> None:
        """`done` steps are behind, the last with this loss over so many images."""
        self._images += images
        speed = self._images / (time.monotonic() - self._start)
        self._bar.update(self._task, completed=done, loss=loss, speed=speed)
        if self.shown and self._bar.disable and done * LINES // self.steps > (done - 1) * LINES // self.steps:
            log.info("%s: step %d/%d, loss %.4f, %.1f images/s", self.description, done, self.steps, loss, speed)
