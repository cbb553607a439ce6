"""A queue whose truth is known: latencies of Poisson arrivals at one server, by Lindley's recursion.

Waiting makes neighbours alike, which is what a judge must not take for independent evidence: the more so, the
closer the utilisation is to 1.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
SPREAD = 0.6  # of the logarithm of service times: p99 is four times the median


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """`rate` arrivals/s; `utilisation` is the share of the time in which the server works."""

    rate: float
    utilisation: float

    def run(self, seconds: float, *, seed: int, warm_s: float = 20.0) -> tuple[Floats, Floats]:
        """Arrival times in [0, seconds) and latencies, both in seconds, after a warm-up that is cut off."""
        rng = np.random.default_rng(seed)
        count = int((seconds + warm_s) * self.rate * 1.2) + 100
        gaps = rng.exponential(1 / self.rate, count)
        mean = self.utilisation / self.rate
        service = rng.lognormal(np.log(mean) - SPREAD**2 / 2, SPREAD, count)
        # Lindley: the wait is a random walk of (service - gap), reflected at its running minimum
        steps = np.concatenate(([0.0], service[:-1] - gaps[1:]))
        walk = np.cumsum(steps)
        wait = walk - np.minimum.accumulate(walk)
        at = np.cumsum(gaps) - warm_s
        kept = (at >= 0) & (at < seconds)
        return at[kept], (wait + service)[kept]

    def truth(self, *qs: float, seconds: float = 8_000.0, runs: int = 5) -> dict[float, float]:
        """Quantiles of latencies, seconds, by q: from runs so long that their error does not matter here."""
        found = [np.quantile(self.run(seconds, seed=seed)[1], qs) for seed in range(runs)]
        return dict(zip(qs, np.mean(found, axis=0).tolist(), strict=True))
