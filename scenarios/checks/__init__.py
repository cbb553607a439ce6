"""Content checks: what a good answer of each system says."""
