"""Reads packer's output: bytes in, events out, no I/O."""

from buildtel.parse.reader import LogReader

__all__ = ["LogReader"]
