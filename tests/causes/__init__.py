"""Causes injected into real builds: whether the account of causes and the findings name them."""
