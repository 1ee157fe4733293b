"""Putting buildtel beside a Packer template, and judging how well a template is wired."""
