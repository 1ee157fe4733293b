"""The S3 store against a real server: the contract, and what is S3's own."""

from __future__ import annotations

import pytest

from buildtel.store import Store
from buildtel.store.s3 import S3Store

from .contract import StoreContract
from .s3server import Server


class TestS3Store(StoreContract):
    @pytest.fixture
    def store(self, server: Server) -> Store:
        """A bucket of its own."""
        return S3Store(server.place(server.new_bucket()))
