"""Pieces of a source that are no files of their own, put down in one file and read back one by one in any process."""

from __future__ import annotations

from typing import IO, NamedTuple


class Span(NamedTuple):
    """A piece: `length` bytes of a file from `start`."""

    file: str
    start: int
    length: int

    def read(self) -> bytes:
        with open(self.file, "rb") as file:
            file.seek(self.start)
            return file.read(self.length)


def append(spool: IO[bytes], name: str, data: bytes) -> Span:
    """Write a piece at the end of the open file `name`; readable once the file is closed."""
    start = spool.tell()
    return Span(name, start, spool.write(data))
