"""Cache hits over lookups in each period."""

from __future__ import annotations

from reports import formats
from reports.charts import Point, Scale
from reports.panel import HEIGHT, Chart, Scene, Tick, held, rules

PLACE = 60
TITLE = "Cache hit rate"


def draw(scene: Scene) -> Chart:
    """One line over all cache clusters; a period without lookups is a gap."""
    hits, misses = _total(scene, "CacheHits"), _total(scene, "CacheMisses")
    lookups = {t: hits.get(t, 0.0) + misses.get(t, 0.0) for t in sorted({*hits, *misses})}
    if not sum(lookups.values()):
        return Chart(title=TITLE, summary="No CacheHits and CacheMisses were collected.")
    points: list[Point] = [(t, hits.get(t, 0.0) / n if n else None) for t, n in lookups.items()]
    y = Scale(domain=(0.0, 1.0), box=(HEIGHT, 0.0))
    total = sum(lookups.values())
    share = formats.ratio(sum(hits.values()) / total)
    return Chart(
        title=TITLE,
        summary=f"{share} of {formats.number(total)} lookups over the run.",
        layers=held(scene, "CacheHits", {"hits of lookups": points}, y),
        ticks=tuple(Tick(at=y(share), label=formats.ratio(share)) for share in (0.0, 0.5, 1.0)),
        rules=rules(scene.limits("cache-hit", "ratio"), y),
    )


def _total(scene: Scene, metric: str) -> dict[float, float]:
    """Period -> sum over the cache clusters."""
    sums: dict[float, float] = {}
    for points in scene.series(metric, "CacheClusterId").values():
        for t, value in points:
            sums[t] = sums.get(t, 0.0) + (value or 0.0)
    return sums
