"""The tools the engine is measured beside, each in its own best shape; and how its own numbers are read."""
