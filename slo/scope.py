"""The part of a record that one objective is judged on: windows of time, and the operations it names."""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from slo import statistics
from slo.counters import Counts
from slo.manifest import PlannedExperiment
from slo.record import Record
from slo.recovery import Recovery
from slo.statistics import BLOCK_S

Window = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Windows are epoch seconds. `recovery` and `experiment` are for objectives of an experiment."""

    record: Record
    windows: tuple[Window, ...]
    experiment: PlannedExperiment | None = None
    recovery: Recovery | Exception | None = None

    @property
    def seconds(self) -> float:
        """Length of all windows."""
        return sum(end - start for start, end in self.windows)

    def rows(self, selectors: tuple[str, ...]) -> NDArray[np.intp]:
        """Rows of the counters' arrays that the selectors name."""
        return self.record.counters.rows(self.record.manifest.select(selectors))

    @cached_property
    def columns(self) -> NDArray[np.intp]:
        """Columns of the whole seconds inside the windows."""
        slices = [self.record.counters.within(start, end) for start, end in self.windows]
        return np.concatenate([np.arange(s.start, s.stop) for s in slices] or [np.zeros(0, dtype=np.intp)])

    @cached_property
    def intervals(self) -> tuple[float, ...]:
        """Starts of the latency log's intervals that lie wholly inside the windows.

        One that begins inside the window in which the counters end reaches into no other time.
        """
        log, last = self.record.histograms, self.record.counters.end
        reach = [(start, end + log.length if end >= last else end) for start, end in self.windows]
        return tuple(start for window in reach for start in log.starts(*window))

    def blocks(self, length: float = BLOCK_S) -> list[slice]:
        """Columns cut into blocks, window by window; a rest belongs to the last block."""
        size = max(round(length), 1)
        blocks = []
        for start, end in self.windows:
            whole = self.record.counters.within(start, end)
            count = max((whole.stop - whole.start) // size, 1 if whole.stop > whole.start else 0)
            edges = [whole.start + size * i for i in range(count)] + [whole.stop]
            blocks += [slice(a, b) for a, b in pairwise(edges)]
        return blocks

    def per_block(self, array: Counts, rows: NDArray[np.intp], length: float = BLOCK_S) -> Counts:
        """Sums over the rows, one per block."""
        line = array[rows].sum(axis=0)
        before = np.concatenate(([0], np.cumsum(line)))
        edges = np.array([(block.start, block.stop) for block in self.blocks(length)], dtype=np.intp)
        sums: Counts = np.diff(before[edges.reshape(-1, 2)], axis=1).ravel()
        return sums

    def design_effect(self, bad: Counts, valid: Counts, rows: NDArray[np.intp], budget: float) -> float:
        """What clustering in time costs.

        While there are fewer bad arrivals than blocks, they cannot show how they cluster. Something that
        always happens stands in for them: answers beyond their operation's own 95th percentile in the same
        windows. Without a latency log nothing does, and a block counts as one arrival.
        """
        k, n = self.per_block(bad, rows), self.per_block(valid, rows)
        direct = statistics.design_effect(k, n)
        if int(k.sum()) >= k.size:
            return direct
        stand_in = self.tail_effect(rows, budget)
        return max(direct, float(n.sum()) / max(n.size, 1) if stand_in is None else stand_in)

    def tail_effect(self, rows: NDArray[np.intp], budget: float) -> float | None:
        """The design effect that slow answers suggest for events of this share; None without any."""
        beyond, answers = self._slow_tail(rows)
        if not beyond.sum():
            return None
        effect = statistics.design_effect(beyond, answers)
        return statistics.transferred(effect, float(beyond.sum()) / float(answers.sum()), budget)

    def _slow_tail(self, rows: NDArray[np.intp]) -> tuple[Counts, Counts]:
        """Answers beyond their operation's own 95th percentile, and all, by interval of the log."""
        beyond = np.zeros(len(self.intervals), dtype=np.int64)
        answers = np.zeros(len(self.intervals), dtype=np.int64)
        for row in rows:
            tail = self.record.tail(self.record.counters.operations[row], self.intervals)
            beyond += tail.above
            answers += tail.every
        return beyond, answers
