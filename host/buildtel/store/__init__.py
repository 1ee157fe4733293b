"""Where documents are kept: one contract, a store each for a directory, S3 and memory, one owner of keys."""

from buildtel.store.contract import Store, Stored, StoreError, StoreUnavailable
from buildtel.store.directory import DirectoryStore
from buildtel.store.layout import Entry
from buildtel.store.memory import MemoryStore

__all__ = ["DirectoryStore", "Entry", "MemoryStore", "Store", "StoreError", "StoreUnavailable", "Stored"]
