"""Composition root: the command line, plans, and one run."""
