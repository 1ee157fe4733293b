"""Builds that are slow on purpose, diagnosed and mended as advised."""
