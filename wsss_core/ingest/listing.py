"""What a source lists before anything is decoded: its images, where their files and labels are, its class names."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from wsss_core.ingest.problems import Problem
from wsss_core.ingest.source import inside
from wsss_core.ingest.spool import Span

CLASSES_TXT = "classes.txt"
HELD_OUT = ("val", "test")  # splits whose tags nobody is told


@dataclass(frozen=True)
class Entry:
    """One image as listed; paths are relative to the source's root.

    Attributes:
        where: file and line that list it, for messages.
        mask: where its mask would be; None where the source has none.
        needs_mask: whether it is a problem if there is no such file.
        annotation: where its XML would be.
        instances: what its mask is drawn from, where that is no file of its own.
        tags: its labels; None where they stand in the mask or in the XML.
        tags_where: file and line of the labels.
    """

    image_id: str
    source: str
    split: str
    where: str
    photo: str
    mask: str | None = None
    needs_mask: bool = False
    annotation: str | None = None
    instances: Span | None = None
    tags: tuple[str, ...] | None = None
    tags_where: str = ""


@dataclass
class Listing:
    """A source's images in reading order, its class names in the order of their ids, and what is wrong with it."""

    names: tuple[str, ...] = ()
    entries: list[Entry] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def complain(self, where: object, what: str) -> None:
        self.problems.append(Problem(str(where), what))

    def missing(self, root: Path, relative: str, kind: str) -> bool:
        """Whether a file or folder cannot be used; complains if so."""
        if not inside(root, relative):
            self.complain(root / relative, "leaves the root; give the folder that really holds the files as root")
        elif not (root / relative).exists():
            self.complain(
                root / relative, f"no such {kind}; check root, layout, splits and the other paths in the settings"
            )
        else:
            return False
        return True


def read_text(root: Path, relative: str, listing: Listing) -> str | None:
    """A text file of a source; None, with a complaint, if it cannot be read."""
    if listing.missing(root, relative, "file"):
        return None
    try:
        return (root / relative).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        listing.complain(root / relative, f"not UTF-8 at byte {error.start}; save the file as UTF-8")
    except OSError as error:
        listing.complain(root / relative, f"cannot be read ({error.strerror}); mend the file's rights")
    return None


def read_json(root: Path, relative: str, listing: Listing) -> Any:
    """The content of a JSON file of a source; None, with a complaint, if it cannot be read."""
    text = read_text(root, relative, listing)
    if text is None:
        return None
    try:
        content = json.loads(text)
        if content is None:
            listing.complain(root / relative, "holds nothing but null; write the file anew")
        return content
    except RecursionError:
        listing.complain(root / relative, "not valid JSON (nested too deeply); mend the file")
    except ValueError as error:
        listing.complain(f"{root / relative}:{getattr(error, 'lineno', 1)}", f"not valid JSON ({error}); mend the file")
    return None


def id_of(picture: str) -> str:
    """The image id of a picture's path: the path without its suffix."""
    path = PurePosixPath(picture)
    return str(path.with_suffix("")) if path.name else picture


def class_names(root: Path, listing: Listing) -> tuple[str, ...]:
    """The names in `classes.txt` in the order of their ids, without background; empty if there is no such file."""
    text = read_text(root, CLASSES_TXT, listing) if (root / CLASSES_TXT).is_file() else None
    names = [line.strip() for line in (text or "").splitlines() if line.strip()]
    if names and names[0] == "background":
        del names[0]
    if len(set(names)) < len(names) or "background" in names:
        listing.complain(root / CLASSES_TXT, "a name stands twice; name each class once, in the order of the ids")
    return tuple(names)
