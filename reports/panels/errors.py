"""Errors by class, stacked, in the second of their intended start."""

from __future__ import annotations

from collections import Counter

from reports import charts, formats
from reports.panel import Chart, Layer, Scene, upwards

PLACE = 20
TITLE = "Errors per second, by class"
MOST_CLASSES = 5


def draw(scene: Scene) -> Chart:
    """The commonest classes by name, the others together."""
    run = scene.run
    totals: Counter[str] = Counter()
    for second in run.seconds:
        totals.update(second.bad)
    ranked = [name for name, n in totals.most_common() if n > 0]
    if not ranked:
        arrivals = sum(second.intended for second in run.seconds)
        none = f"None in {formats.number(arrivals)} arrivals." if arrivals else "No arrival was counted."
        return Chart(title=TITLE, summary=none)
    shares: list[tuple[str, tuple[str, ...]]] = [(name, (name,)) for name in ranked[:MOST_CLASSES]]
    if rest := tuple(ranked[MOST_CLASSES:]):
        shares.append(("other classes", rest))
    tops = charts.stack(
        [[float(sum(s.bad[c] for c in classes)) for s in run.seconds] for _, classes in shares]
    )
    bottoms = [[0.0] * len(run.seconds), *tops]
    chosen = charts.kept(tops[-1])
    y, ticks = upwards(max(tops[-1]))
    layers = tuple(
        Layer(
            label=label,
            kind="area",
            colour=i + 1,
            note=formats.number(sum(totals[c] for c in classes)),
            path=charts.area(
                [bottoms[i][j] for j in chosen],
                [(run.start + j, tops[i][j]) for j in chosen],
                scene.x,
                y,
                1.0,
            ),
        )
        for i, (label, classes) in enumerate(shares)
    )
    said = "; ".join(f"{layer.label} {layer.note}" for layer in layers)
    return Chart(title=TITLE, summary=f"{said}.", layers=layers, ticks=ticks)
