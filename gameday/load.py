"""`gameday load URL`: one request at one URL as an ordinary run, judged by objectives of the command line."""

from __future__ import annotations

import json
import math
import os
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fixtures import environment, quantity
from fixtures.errors import ConfigError as QuantityError
from gameday import crew, shape, target
from gameday.errors import ConfigError
from gameday.plan import Load, Phase, Plan
from gameday.run import Request
from gameday.target import Target
from gameday.traffic import Traffic
from slo import objective
from slo.errors import ConfigError as ObjectiveError
from slo.expression import Expression, parse
from slo.kind import kinds
from slo.objective import Objective
from slo.policy import MEASURE
from slo.shares import budget_of
from slo.statistics import BLOCK_S, LEAST_BLOCKS, least_samples

SYSTEM = "url"
OPERATION = "request"
WARMUP = "2s"
FEWEST_IN_FLIGHT, MOST_IN_FLIGHT = 100, 10_000
LEAST_S = 1.0
_KINDS = ("latency", "errors", "availability", "throughput")
_SHARES = ("latency", "errors", "availability")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The words of the command line; None and empty where nothing was said."""

    url: str
    arrivals: str | None = None
    sessions: int | None = None
    users: int | None = None
    think: str | None = None
    poisson: bool = False
    shape: str | None = None
    duration: str = "20s"
    warmup: str = WARMUP
    method: str | None = None
    headers: tuple[str, ...] = ()
    body: str | None = None
    timeout: str = "10s"
    objectives: tuple[str, ...] = ()
    workers: int = 1
    seed: int = 1
    allow_hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A checked run, the secrets its traffic process needs, and what should be said before the start."""

    request: Request
    target: Target
    warnings: tuple[str, ...]

    @contextmanager
    def secrets(self) -> Iterator[None]:
        """Lend the secrets to child processes, by the environment, for as long as the block lasts."""
        before = {name: os.environ.get(name) for name in self.target.secrets}
        os.environ.update(self.target.secrets)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


def prepare(options: Options, *, out: Path, command: Sequence[str] = ()) -> Prepared:
    """Read and check everything; nothing is sent and no socket is opened.

    Raises:
        ConfigError: an option cannot be meant, or the host may not be loaded.
    """
    asked = target.read(
        options.url,
        method=options.method,
        headers=options.headers,
        body=options.body,
        allow=options.allow_hosts,
    )
    text = objectives_text(options.objectives)
    wanted = _objectives(text)
    seconds = _seconds("--for", options.duration, least=LEAST_S)
    warmup = _seconds("--warmup", options.warmup, least=0.0)
    load, mean = _load(options, warmup, seconds)
    phases = [Phase(name="steady", for_s=seconds)]
    if warmup:
        phases.insert(0, Phase(name="warmup", for_s=warmup))
    plan = Plan(
        name="load",
        system=SYSTEM,
        policy="local" if wanted else MEASURE,
        objectives=tuple(one.id for one in wanted),
        least_passes=len(wanted),
        load=load,
        phases=tuple(phases),
    )
    request = Request(
        plan=plan,
        env=environment.of_url(asked.origin, asked.host),
        objectives=wanted,
        experiments={},
        traffic=traffic_of(asked),
        out=out,
        command=shlex.join(asked.redacted(command)),
        own_targets=text,
        load={"request": asked.document()},
        crew=crew.of(options.workers),
    )
    return Prepared(request=request, target=asked, warnings=_warnings(wanted, mean, seconds))


def traffic_of(asked: Target) -> Traffic:
    """What scenarios/load/url.py makes of the target: known here, so that no process must be asked."""
    return Traffic(
        operations={OPERATION: {"name": f"{asked.method} {asked.path}", "groups": ["api"]}},
        flows={OPERATION: {"weight": 1, "operations": [OPERATION], "tags": []}},
        requests_per_flow=1.0,
    )


def objectives_text(expressions: Sequence[str], operations: Sequence[str] = (OPERATION,)) -> str:
    """An objectives.toml that asks these expressions of the steady phase; empty for none.

    They are about these operations (slugs or @groups) together.

    Raises:
        ConfigError: one does not parse, or is not about requests.
    """
    tables = []
    names: dict[str, int] = {}
    for text in expressions:
        expression = _expression(text)
        sli = _sli(expression)
        name = _name(sli, expression)
        names[name] = names.get(name, 0) + 1
        suffix = f"-{names[name]}" if names[name] > 1 else ""
        words = " ".join(expression.text.split())
        tables.append(_TABLE.format(id=name + suffix, sli=sli, text=words, operations=json.dumps(operations)))
    return "\n".join(tables)


_TABLE = """[[objective]]
id = "{id}"
sli = "{sli}"
phase = "steady"
operations = {operations}
expr = "{text}"
basis = "documented"
source = {{ file = "command line", heading = "--objective", quote = "{text}" }}
"""


def deciding_s(one: Objective, rate: float | None) -> float:
    """The shortest measured time in which this objective can pass, in seconds, at `rate` arrivals/s."""
    if one.expr.metric == "max":
        return 0.0
    blocks = LEAST_BLOCKS * BLOCK_S
    if one.sli not in _SHARES or not rate:
        return blocks
    return max(blocks, math.ceil(least_samples(budget_of(one)) / rate))


def _load(options: Options, warmup: float, seconds: float) -> tuple[Load, float | None]:
    """The plan's load and its mean rate (None: the users decide it)."""
    if (options.arrivals is None) == (options.users is None):
        raise ConfigError("expected either --arrivals, e.g. --arrivals 200/s, or --users, e.g. --users 50")
    _together(options)
    timeout = _seconds("--timeout", options.timeout, least=0.001)
    if options.users is not None:
        think = _seconds("--think", options.think, least=0.0) if options.think else 0.0
        users = options.users
        return Load(model="users", users=users, think_s=think, seed=options.seed, timeout_s=timeout), None
    rate = peak = mean = _said("--arrivals", quantity.rate, options.arrivals)
    stages: tuple[Mapping[str, object], ...] = ()
    if options.shape is not None:
        shaped = shape.read(options.shape, rate=rate, warmup_s=warmup, for_s=seconds)
        stages, peak, mean = shaped.stages, shaped.peak, shaped.mean
    load = Load(
        model="arrivals" if options.sessions is None else "sessions",
        rate=peak,
        sessions=options.sessions or 0,
        max_in_flight=_in_flight(peak, timeout),
        spacing="poisson" if options.poisson else "even",
        stages=stages,
        seed=options.seed,
        timeout_s=timeout,
    )
    return load, mean


def _together(options: Options) -> None:
    """Refuse options that say nothing beside the model that was chosen."""
    if options.users is not None:
        given = {"--sessions": options.sessions, "--poisson": options.poisson, "--shape": options.shape}
        for name, value in given.items():
            if value:
                raise ConfigError(f"{name} goes with --arrivals; users send when they have been answered")
    elif options.think is not None:
        raise ConfigError("--think goes with --users; arrivals come on their schedule")


def _in_flight(rate: float, timeout: float) -> int:
    """As many as a system that answers nothing keeps open until they time out, within bounds."""
    return min(max(math.ceil(rate * timeout), FEWEST_IN_FLIGHT), MOST_IN_FLIGHT)


def _expression(text: str) -> Expression:
    try:
        return parse(text)
    except ValueError as error:
        raise ConfigError(f"--objective: {error}") from error


def _sli(expression: Expression) -> str:
    for name in _KINDS:
        if (expression.metric, expression.unit) in kinds()[name].SHAPE.forms:
            return name
    raise ConfigError(
        f"--objective: {expression.text!r} is not about requests; expected e.g. 'p(99) < 500ms', "
        "'max < 1s', 'rate < 0.1%', 'value > 99.9%' or 'value >= 100/s'"
    )


def _name(sli: str, expression: Expression) -> str:
    if expression.quantile is not None:
        return f"latency-p{100 * expression.quantile:g}".replace(".", "-")
    return f"{sli}-max" if expression.metric == "max" else sli


def _objectives(text: str) -> tuple[Objective, ...]:
    if not text:
        return ()
    try:
        return objective.loads(text, "--objective")
    except ObjectiveError as error:
        raise ConfigError(str(error)) from error


def _warnings(wanted: Sequence[Objective], rate: float | None, seconds: float) -> tuple[str, ...]:
    short = {one.expr.text: needed for one in wanted if (needed := deciding_s(one, rate)) > seconds}
    if not short:
        return ()
    return (
        f"{seconds:g} s cannot show that {' and '.join(short)} hold{'s' if len(short) == 1 else ''}: "
        f"the shortest that can is --for {max(short.values()):g}s; a miss that lasts fails all the same",
    )


def _seconds(option: str, text: str, *, least: float) -> float:
    if least == 0.0 and text in ("0", "0s"):
        return 0.0
    seconds = _said(option, quantity.duration, text)
    if seconds < least:
        raise ConfigError(f"{option} {text}: expected at least {least:g} s")
    return seconds


def _said(option: str, parse_it: Callable[[object], float], text: object) -> float:
    try:
        return parse_it(text)
    except QuantityError as error:
        raise ConfigError(f"{option}: {error.problem}") from error
