"""Artifacts: a folder with a sharded Zarr store, a Parquet index (one row per image) and a JSON of meanings."""

from wsss_core.stores.fingerprint import fingerprint
from wsss_core.stores.layout import ArraySpec, StoreError, padded
from wsss_core.stores.read import Store, open_store
from wsss_core.stores.resume import write_store
from wsss_core.stores.write import StoreWriter

__all__ = ["ArraySpec", "Store", "StoreError", "StoreWriter", "fingerprint", "open_store", "padded", "write_store"]
