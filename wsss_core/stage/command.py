"""What every stage script does around its own work: arguments, one-line errors, the figures of its cost."""

from __future__ import annotations

import argparse
import errno
import inspect
import json
import logging
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import get_args

from wsss_core.stage.allocator import keep_freed_memory
from wsss_core.stage.errors import InputError
from wsss_core.stage.output import WORK

COSTS = WORK / "costs"


def run(main: Callable[..., None], name: str) -> None:
    """Run a stage's `main`, whose keyword arguments are its command line, and exit with a clear message on failure.

    Exit codes: 0 done, 1 something to mend (one line on stderr says what), 2 wrong usage, 130 interrupted.
    """
    logging.basicConfig(level=logging.INFO, format=f"{name}: %(message)s", stream=sys.stderr)
    arguments = vars(_parser(main, name).parse_args())
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a polite kill ends like Ctrl-C
    keep_freed_memory()
    out, start = Path(arguments.get("out") or name), time.monotonic()
    leads = int(os.environ.get("RANK", "0")) == 0  # one process of a distributed training notes its cost
    interrupted = leads and _begin(out)
    try:
        main(**arguments)
    except KeyboardInterrupt:
        _fail(name, "interrupted; run the same command again and it continues", 130)
    except Exception as error:
        to_mend = isinstance(error, InputError | ValueError)
        if to_mend and leads and not interrupted:
            _mark(out).unlink(missing_ok=True)  # other settings or inputs begin anew
        if os.environ.get("WSSS_DEBUG"):
            raise
        if to_mend:
            _fail(name, str(error), 1)
        if isinstance(error, OSError):
            _fail(name, _os_error(error), 1)
        _fail(name, f"{type(error).__name__}: {error} (a bug? run again with WSSS_DEBUG=1 for the trace)", 1)
    if leads:
        with suppress(OSError):  # a figure that cannot be kept is no failure of the stage
            _note_cost(name, out, time.monotonic() - start, interrupted)


def _parser(main: Callable[..., None], name: str) -> argparse.ArgumentParser:
    """`--key VALUE` for every keyword argument of `main`, converted by its annotation; no default means required."""
    parser = argparse.ArgumentParser(prog=f"python -m stages.{name}", description=inspect.getdoc(main))
    for key, parameter in inspect.signature(main, eval_str=True).parameters.items():
        kinds = [kind for kind in get_args(parameter.annotation) or [parameter.annotation] if kind is not type(None)]
        required = parameter.default is parameter.empty
        parser.add_argument(
            f"--{key.replace('_', '-')}",
            type=kinds[0],
            required=required,
            default=None if required else parameter.default,
        )
    return parser


def _os_error(error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return f"no space left on the disk while writing {error.filename or 'the output'}; free some and run again"
    return f"{error.filename or 'input or output'}: {error.strerror or error}"


def _fail(name: str, message: str, code: int) -> None:
    print(f"error: {name}: {message}", file=sys.stderr, flush=True)
    sys.exit(code)


def _begin(out: Path) -> bool:
    """Mark the stage as begun; whether it had been before and did not end, killed or interrupted."""
    mark = _mark(out)
    before = mark.exists()
    with suppress(OSError):
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()
    return before


def _note_cost(name: str, out: Path, seconds: float, interrupted: bool) -> None:
    """Keep time and peak memory beside the artifacts, never in them: a clock in an artifact would break caching.

    Args:
        name: of the stage.
        out: its output.
        seconds: that it took, this time.
        interrupted: whether it may have gone on with the work of an attempt that did not end.
    """
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    cost = {"stage": name, "out": str(out), "seconds": round(seconds, 2), "peak_mib": peak // 1024}
    mark = _mark(out)
    mark.with_suffix(".json").write_text(json.dumps(cost | {"interrupted": interrupted}) + "\n")
    mark.unlink(missing_ok=True)


def _mark(out: Path) -> Path:
    """A file that is there while the stage has begun and not ended."""
    return COSTS / f"{str(out).replace('/', '.')}.begun"
