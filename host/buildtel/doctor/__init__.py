"""Checks of `doctor`: what is missing on this machine and in the store, each with how to fix it."""
