"""Faults: experiments, the FIS driver, guard rails, probes and CloudWatch collection."""
