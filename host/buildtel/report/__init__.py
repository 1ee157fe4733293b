"""A document as people read it: first rows of data, then a form. Nothing here prints."""

from buildtel.report.packer_steps import packer_steps
from buildtel.report.rows import Report, report_of
from buildtel.report.text import render_csv, render_json, render_markdown

__all__ = ["Report", "packer_steps", "render_csv", "render_json", "render_markdown", "report_of"]
