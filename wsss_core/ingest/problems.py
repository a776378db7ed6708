"""What is wrong with a data set, collected over all of it and told in one message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wsss_core.stage import InputError

SHOWN = 50


@dataclass(frozen=True)
class Problem:
    """One thing to mend.

    Attributes:
        where: the file as the user typed its folder, with `:line` where that helps.
        what: what is wrong; after a semicolon, the way out. Names no folder outside the data set, since the reason
            of a skipped image is kept in the index.
    """

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def raise_if_any(problems: Sequence[Problem]) -> None:
    """Raise one `InputError` that lists the first 50 problems, if there are any."""
    if not problems:
        return
    lines = [f"{len(problems)} problem{'s' if len(problems) > 1 else ''} in the data set:"]
    lines += [f"  {problem}" for problem in problems[:SHOWN]]
    if len(problems) > SHOWN:
        lines.append(f"  ... and {len(problems) - SHOWN} more")
    raise InputError("\n".join(lines))
