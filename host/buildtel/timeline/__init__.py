"""Packer's story: events to runs, builds, phases, provisioners, and the account of each build's wall time."""
