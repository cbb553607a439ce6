"""Traffic: one file per system, and the load engine."""
