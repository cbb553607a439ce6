"""What the run's numbers rest on: validity, steadiness, and everything needed to run it again."""

from __future__ import annotations

import json

from reports import formats
from reports.fields import Json, flag, mapping, number, rows, text, texts
from reports.folder import Folder
from reports.table import Fact, shortened

LONGEST_VALUE = 400


def validity(folder: Folder) -> tuple[Fact, ...]:
    """Whether the generator kept up, by its own record."""
    judged = mapping(folder.verdicts, "validity")
    seen = folder.of_kind("generator")
    dropped = {name: _most(seen, name) for name in ("dropped_system", "dropped_generator")}
    valid = flag(judged, "valid")
    return (
        Fact(name="Valid", value=formats.NO_DATA if valid is None else "yes" if valid else "no"),
        Fact(
            name="Causes", value="; ".join(texts(judged, "causes")) or ("none" if judged else formats.NO_DATA)
        ),
        Fact(name="Start lag p99", value=formats.latency(number(judged, "start_lag_p99"))),
        Fact(name="Start lag, longest", value=formats.latency(_most(seen, "lag_max"))),
        Fact(name="Generator CPU, highest", value=_core(number(judged, "cpu_max"))),
        Fact(name="CPU taken by the host, worst second", value=formats.ratio(_most(seen, "stolen"))),
        Fact(name="Disturbed", value=text(judged, "disturbed") or ("no" if judged else formats.NO_DATA)),
        Fact(name="Misses caused by the generator", value=formats.number(number(judged, "misses_generator"))),
        Fact(name="Attainment", value=formats.ratio(number(judged, "attainment"))),
        Fact(name="In flight, most", value=formats.number(_most(seen, "in_flight"))),
        Fact(name="Dropped in one second, the system slow", value=formats.number(dropped["dropped_system"])),
        Fact(
            name="Dropped in one second, the generator late",
            value=formats.number(dropped["dropped_generator"]),
        ),
        Fact(name="Clock step, largest", value=formats.latency(_most(seen, "clock_step"))),
        Fact(name="Network round trip before the start", value=_floor(folder)),
    )


def _floor(folder: Folder) -> str:
    """The network's share of every latency, by host."""
    trips = [(text(one, "host"), number(one, "rtt")) for one in folder.of_kind("floor")]
    return ", ".join(f"{formats.latency(rtt)} to {host}" for host, rtt in trips) or formats.NO_DATA


def _most(events: list[Json], key: str) -> float | None:
    return max((value for event in events if (value := number(event, key)) is not None), default=None)


def _core(share: float | None) -> str:
    return formats.NO_DATA if share is None else f"{formats.ratio(share)} of a core"


def steadiness(folder: Folder) -> tuple[Fact, ...]:
    """Whether the steady phase was steady: the cut that MSER-5 would make is only reported."""
    judged = mapping(folder.verdicts, "steadiness")
    if not judged:
        return ()
    steady, reason = flag(judged, "steady"), text(judged, "reason")
    cut_s, cut_share = number(judged, "cut_s"), number(judged, "cut_share")
    return (
        Fact(name="Steady", value=formats.NO_DATA if steady is None else "yes" if steady else "no"),
        Fact(name="Remark", value=reason or "none"),
        Fact(
            name="MSER-5 would cut",
            value=f"{formats.duration(cut_s)}, {formats.ratio(cut_share)} of the phase",
        ),
        Fact(name="Median latency before the cut", value=formats.latency(number(judged, "before"))),
        Fact(name="Median latency after the cut", value=formats.latency(number(judged, "after"))),
    )


def configuration(folder: Folder) -> tuple[Fact, ...]:
    """Plan, load, environment and software of the run."""
    manifest = folder.manifest
    environment, load, git = (mapping(manifest, key) for key in ("environment", "load", "git"))
    return (
        Fact(name="Command to repeat it", value=text(manifest, "command", formats.NO_DATA)),
        Fact(name="Seed", value=text(manifest, "seed", formats.NO_DATA)),
        Fact(name="Git commit", value=_commit(git)),
        Fact(name="Run", value=text(manifest, "run_id", folder.path.name)),
        Fact(name="State", value=text(manifest, "state", formats.NO_DATA)),
        Fact(name="Started", value=formats.utc(number(manifest, "started"))),
        Fact(name="Ended", value=formats.utc(number(manifest, "ended"))),
        Fact(name="Judged", value=formats.utc(number(folder.verdicts, "judged_at"))),
        Fact(name="Plan", value=text(manifest, "plan", formats.NO_DATA)),
        Fact(name="Policy", value=text(manifest, "policy", formats.NO_DATA)),
        Fact(name="Phases", value=_phases(manifest)),
        *(Fact(name=f"Load: {_spoken(name)}", value=_value(load[name])) for name in load),
        Fact(name="Workers", value=text(manifest, "workers", formats.NO_DATA)),
        *(
            Fact(name=f"Environment: {_spoken(name)}", value=_value(environment[name]))
            for name in environment
        ),
        Fact(name="Allowed hosts", value=", ".join(texts(manifest, "allow_hosts")) or formats.NO_DATA),
        Fact(name="Versions", value=_value(mapping(manifest, "versions") or None)),
    )


def _commit(git: Json) -> str:
    commit, dirty = text(git, "commit"), flag(git, "dirty")
    if not commit:
        return formats.NO_DATA
    return f"{commit}{', with uncommitted changes' if dirty else ''}"


def _phases(manifest: Json) -> str:
    planned = [
        f"{text(phase, 'name')} {formats.duration(number(phase, 'for_s'))}"
        + (f" ({text(phase, 'experiment')})" if text(phase, "experiment") else "")
        for phase in rows(manifest, "phases")
    ]
    return ", ".join(planned) or formats.NO_DATA


def _spoken(name: str) -> str:
    return name.replace("_", " ")


def _value(value: object) -> str:
    """Any JSON value on one line."""
    match value:
        case None:
            return formats.NO_DATA
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return formats.number(value)
        case dict():
            words = ", ".join(f"{name} {_value(item)}" for name, item in value.items())
        case list():
            words = ", ".join(_value(item) for item in value)
        case _:
            words = json.dumps(value) if not isinstance(value, str) else value
    return shortened(words, LONGEST_VALUE) or "none"
