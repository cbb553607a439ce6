"""The judge: objectives, the run record, statistics and verdicts. Pure - no clock, no network."""
