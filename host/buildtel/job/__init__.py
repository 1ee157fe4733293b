"""Events to one job document (`fold.py`); documents from files. Nothing here reads a clock or the environment."""

from buildtel.job.load import load_document
from buildtel.job.model import JobDocument, Meta

__all__ = ["JobDocument", "Meta", "load_document"]
