"""A `.tar.gz` written and read with one file at a time in memory; the same files give the same bytes."""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path


def write_archive(path: Path, files: Iterable[tuple[str, bytes]]) -> None:
    """Write files, in this order, with names and contents alone: no clock, no owner."""
    with (
        open(path, "wb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as packed,
        tarfile.open(mode="w", fileobj=packed) as tar,
    ):
        for name, data in files:
            member = tarfile.TarInfo(name)  # its mtime, uid and gid are 0, its mode is 0o644
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
            tar.members.clear()  # type: ignore[attr-defined]  # or it keeps a record of every file


def read_archive(path: Path) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    """Every member in order with its content, which is empty for all but plain files.

    Raises:
        ValueError: not a `.tar.gz`, or a damaged one.
    """
    with open(path, "rb") as raw:
        try:
            with gzip.GzipFile(fileobj=raw) as packed, tarfile.open(mode="r|", fileobj=packed) as tar:
                while (member := tar.next()) is not None:
                    file = tar.extractfile(member) if member.isreg() else None
                    yield member, file.read() if file else b""
                    tar.members.clear()  # type: ignore[attr-defined]
                while packed.read(2**16):  # the check sum stands at the very end
                    pass
        except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as error:
            raise ValueError(f"not a .tar.gz, or a damaged one ({error}); write or fetch it again") from None
