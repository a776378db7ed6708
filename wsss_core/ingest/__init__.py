"""Reading a data set in: every file is checked once, packed, and never looked at in its source folder again."""

from wsss_core.ingest.build import ingest
from wsss_core.ingest.source import VOC_CLASSES, Source

__all__ = ["VOC_CLASSES", "Source", "ingest"]
