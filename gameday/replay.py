"""`gameday replay`: recorded traffic, from log files to a workload and to how true a replay of it was."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from fixtures import quantity
from fixtures.errors import ConfigError as FileError
from fixtures.replay import formats, workload
from fixtures.replay.workload import Header
from gameday import fidelity as comparison
from gameday.errors import ConfigError
from gameday.exits import exits

_SUFFIX = ".workload"
_SHOWN = 25
_BARS = " ▁▂▃▄▅▆▇█"
_BARS_WIDE = 60


@click.group()
def replay() -> None:
    """Recorded traffic: import access logs, look at a workload, see how true a replay was.

    Example: gameday replay import logs/ --format alb --out monday.workload
    """


@replay.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILES...")
@click.option("--format", "format_name", required=True, type=click.Choice(formats.names()),
              help="Whose log it is.")  # fmt: skip
@click.option(
    "--out", type=click.Path(path_type=Path), help="The workload file; FIRST_FILE.workload if not said."
)
@click.option("--origin", is_flag=True, help="cloudfront: leave out what was answered at the edge.")
@click.option(
    "--host", "hosts", multiple=True, metavar="HOST", help="Only requests to this host; repeatable."
)
@click.option("--cap-gap", default="60s", show_default=True, metavar="TIME",
              help="Cut longer silences to this; 0s leaves them.")  # fmt: skip
@click.option("--operations", type=click.IntRange(1, 2000), default=200, show_default=True,
              help="The most frequent to keep apart; the rest are one each method.")  # fmt: skip
@click.option("--bodies", type=click.Path(path_type=Path), metavar="FILE",
              help="TOML with what to send with POSTs and the like.")  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True,
              help="Of moments within the log's resolution.")  # fmt: skip
@exits
def import_(
    files: tuple[Path, ...], format_name: str, out: Path | None, hosts: tuple[str, ...], **options: object
) -> None:
    """Make a workload of log FILES (gz or plain, in any order) or folders of them.

    Secrets and personal data are taken out; lines that cannot be used are counted by reason.

    \b
    Examples:
      gameday replay import logs/*.gz --format alb --out monday.workload
      gameday replay import E1.gz E2.gz --format cloudfront --origin --out origin.workload
    """  # noqa: D301 - click wants the character
    from fixtures.replay import importer  # noqa: PLC0415 - numpy work that no other command needs
    from fixtures.replay.batch import Options  # noqa: PLC0415 - as above

    bodies = options["bodies"]
    wish = importer.Wish(
        options=Options(hosts=frozenset(host.lower() for host in hosts), origin=bool(options["origin"])),
        cap_gap_s=_gap(str(options["cap_gap"])),
        operations=int(str(options["operations"])),
        seed=int(str(options["seed"])),
        bodies=importer.bodies(bodies) if isinstance(bodies, Path) else {},
    )
    made = importer.run(files, format_name, out or Path(files[0].name + _SUFFIX), wish)
    _print(told(made.header))
    click.echo(f"workload {made.path}")


@replay.command()
@click.argument("file", type=click.Path(path_type=Path), metavar="WORKLOAD")
@exits
def show(file: Path) -> None:
    """What is in a workload: its span, its pace, its operations, and what was left out and why.

    Example: gameday replay show monday.workload
    """
    _print(told(workload.read(file).header))


@replay.command()
@click.argument("run", type=click.Path(path_type=Path), metavar="RUN")
@exits
def fidelity(run: Path) -> None:
    """How true a replay was to its recording; computed again where the workload is still there.

    Example: gameday replay fidelity runs/replay-20260102T030405Z-0a1b
    """
    try:
        _print(comparison.of(run).lines())
    except FileError:
        _print(comparison.read(run).lines())


def told(header: Header) -> list[str]:
    """A workload's header in lines for a terminal."""
    mean = header.requests / max(header.span_s, 1.0)
    spread = f", spread within it (seed {header.seed})" if header.resolution_s > 1e-6 else ""
    lines = [
        f"{header.requests:,} requests of {header.lines:,} lines in {header.files} {header.source} files",
        f"from {header.first}, over {_time(header.span_s)}; mean {mean:.1f}/s",
        f"moments known to {header.resolution_s:g} s{spread}",
    ]
    if header.gaps:
        lines.append(
            f"{header.gaps} silences longer than {_time(header.gap_cap_s)} cut to it: "
            f"{_time(header.gaps_removed_s)} taken out"
        )
    lines += [
        f"busiest {peak.window_s:>2} s: {peak.requests:,} requests "
        f"({peak.requests / peak.window_s:.1f}/s) at {_time(peak.at_s)}"
        for peak in header.peaks
    ]
    if header.curve:
        lines.append(f"pace  {_bars(header.curve)}")
    return lines + _left_out(header) + _operations(header)


def _left_out(header: Header) -> list[str]:
    scrubbed = ", ".join(f"{count:,} {what}" for what, count in header.scrubbed.items())
    return [
        f"left out: {sum(header.skipped.values()):,} lines",
        *(f"  {count:>12,}  {reason}" for reason, count in header.skipped.items()),
        f"scrubbed: {scrubbed or 'nothing'}",
    ]


def _operations(header: Header) -> list[str]:
    ordered = sorted(header.operations, key=lambda one: (-one.count, one.slug))
    lines = [f"{len(ordered)} operations"]
    for one in ordered[:_SHOWN]:
        note = f"  not replayed: {one.omitted}" if one.omitted else ""
        share = one.count / header.requests
        lines.append(f"  {one.count:>12,}  {share:>6.1%}  {one.method} {one.template}{note}")
    if len(ordered) > _SHOWN:
        rest = sum(one.count for one in ordered[_SHOWN:])
        lines.append(
            f"  {rest:>12,}  {rest / header.requests:>6.1%}  {len(ordered) - _SHOWN} more operations"
        )
    return lines


def _bars(curve: tuple[int, ...]) -> str:
    width = -(-len(curve) // _BARS_WIDE)
    steps = [sum(curve[at : at + width]) for at in range(0, len(curve), width)]
    most = max(steps)
    return "".join(_BARS[-(-step * (len(_BARS) - 1) // most)] for step in steps)


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:g} s" if seconds < 10 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def _gap(text: str) -> float:
    if text in {"0", "0s"}:
        return 0.0
    try:
        return quantity.duration(text)
    except FileError as error:
        raise ConfigError(f"--cap-gap: {error.problem}") from error


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(line)
