"""Events to one job document. Nothing here reads a file, a clock or the environment."""

from buildtel.job.fold import Fold, document
from buildtel.job.load import load_document
from buildtel.job.model import JobDocument, Meta

__all__ = ["Fold", "JobDocument", "Meta", "document", "load_document"]
