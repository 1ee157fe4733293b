"""Adds buildtel's files to a Packer template, and checks how a template is wired."""
