"""Probes: one file per way of seeing a fault begin and end."""
