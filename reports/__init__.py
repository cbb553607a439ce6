"""Renders a run folder for readers."""
