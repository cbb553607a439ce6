"""The command line. Every command has an example in its help; every error exits with a documented code."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Any

import click

from chaos import driver, lock
from fixtures import environment
from gameday import (
    admission,
    catalog,
    check,
    crew,
    defects,
    fidelity,
    figures,
    load,
    past,
    prepare,
    preview,
    show,
    standing,
)
from gameday.doctor import doctor
from gameday.exitcodes import ExitCode
from gameday.exits import exits as _exits
from gameday.export import export
from gameday.replay import replay
from gameday.run import judge_and_report, judge_by, writable
from gameday.run import run as run_request
from reports import render
from slo import jsonl

_env = click.option("--env", "env_name", default="local", show_default=True, metavar="ENV",
                    help="Environment: a name or a .toml file.")  # fmt: skip
_out = click.option("--out", type=click.Path(path_type=Path), default=Path("runs"), show_default=True,
                    help="Where the run's folder is made.")  # fmt: skip
_defects = click.option("--defect", "defects", multiple=True, metavar="NAME",
                        help="Plant this defect in the local region, on purpose; repeatable.")  # fmt: skip
_COUNT = click.IntRange(1, 1_000_000)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="gameday")
def main() -> None:
    """Drive traffic, break things, and say - with evidence - whether the documented targets held.

    Example: gameday run lexohub-local --env local
    """


@main.command("list")
@_exits
def list_() -> None:
    """Systems, scenarios, experiments, plans, environments, and defects with what must catch them.

    Example: gameday list
    """
    show.catalog(catalog.everything())
    click.echo("defects that can be planted, and the objective that must catch each")
    for line in defects.lines(catalog.systems()):
        click.echo(line)


@main.command("check")
@_exits
def check_() -> ExitCode:
    """Parse and cross-check every shipped file; sends nothing.

    Example: gameday check
    """
    problems = check.everything(click.echo)
    for problem in problems:
        click.echo(f"error: {problem}", err=True)
    return ExitCode.USAGE if problems else ExitCode.PASS


@main.command()
@click.argument("plan")
@_env
@click.option("--offline", is_flag=True, help="Ask nobody: leave out what the experiments could hit.")
@_exits
def plan(plan: str, env_name: str, *, offline: bool) -> None:
    """Say what a run would do: phases, load, faults, objectives and the samples they need.

    Where the environment answers, FIS resolves what each experiment could hit, breaking nothing, and the hash
    of that plan is printed: `gameday run --plan-hash` applies it and no other.

    Example: gameday plan lexohub-failover --env local-async
    """
    request = prepare.request(plan, prepare.Options(env=env_name))
    show.preview(preview.of(request))
    if request.experiments and not offline:
        show.plans(admission.resolved(request.experiments, request.env))


@main.command()
@click.argument("plan")
@_env
@_out
@click.option(
    "--only", multiple=True, metavar="FLOW|TAG", help="Only these flows of the scenario; repeatable."
)
@click.option("--rate", metavar="RATE", help="Requests per second, e.g. 50/s.")
@click.option("--for", "duration", metavar="TIME", help="Length of the steady phase, e.g. 150s or 5m.")
@click.option("--plan-hash", "plan_hashes", multiple=True, metavar="[EXPERIMENT=]HASH",
              help="Start only the plan with this hash; one for each experiment.")  # fmt: skip
@click.option("--no-faults", is_flag=True, help="Leave the plan's experiments out.")
@click.option("--seed", type=click.IntRange(min=0), help="Seed of arrivals and data choices.")
@click.option(
    "--standing", "use_standing", is_flag=True, help="Use the region that `gameday region up` left running."
)
@click.option(
    "--workers", type=_COUNT, metavar="N", help="Worker processes on this machine; one does it alone."
)
@click.option("--remote-workers", type=_COUNT, metavar="N", help="Workers that join from other machines.")
@click.option("--master-bind", metavar="HOST[:PORT]", help="Where they join; 127.0.0.1:5557 unless said.")
@click.option("--worker-wait", metavar="TIME", help="How long to wait for all of them; 60s unless said.")
@click.option("--replay", "workload", type=click.Path(path_type=Path), metavar="WORKLOAD",
              help="Repeat recorded requests; PLAN is `replay` or a system.")  # fmt: skip
@click.option("--speed", type=float, default=1.0, show_default=True, help="With --replay: how much faster.")
@click.option("--objective", "objectives", multiple=True, metavar="EXPR",
              help="With --replay: e.g. 'p(99) < 500ms'; repeatable.")  # fmt: skip
@_defects
@_exits
def run(plan: str, out: Path, **options: Any) -> ExitCode:
    """Run a PLAN, or a system's scenario without a plan file, and judge it.

    \b
    Examples:
      gameday run lexohub-local --env local
      gameday run lexohub --only search --rate 50/s --for 150s --no-faults --env local
      gameday run lexohub-local --env local --workers 2
      gameday run lexohub-noop --defect lost-write --defect old-counts/twin
      gameday run replay --replay monday.workload --speed 2 --env staging
    """  # noqa: D301 - click wants the character
    chosen = prepare.Options(
        env=options["env_name"],
        only=options["only"],
        rate=options["rate"],
        duration=options["duration"],
        no_faults=options["no_faults"],
        seed=options["seed"],
        use_standing=options["use_standing"],
        crew=crew.of(
            options["workers"], options["remote_workers"], options["master_bind"], options["worker_wait"]
        ),
        workload=options["workload"],
        speed=options["speed"],
        objectives=options["objectives"],
        defects=options["defects"],
        plan_hashes=options["plan_hashes"],
    )
    command = shlex.join(["gameday", *sys.argv[1:]])
    request = prepare.request(plan, chosen, out=writable(out), command=command)
    result = run_request(request, _say)
    if trips := figures.floor_ms(jsonl.read(result.path / "events.jsonl", missing_ok=True)):
        click.echo(show.floor(trips))
    if chosen.workload is not None:
        for line in fidelity.remember(result.path):
            click.echo(line)
    show.verdicts(result.verdicts)
    for line in past.remember(result.path, result.verdicts):
        click.echo(line)
    click.echo(f"report {result.path / 'report.html'}")
    return result.code


@main.command("load")
@click.argument("url")
@click.option("--arrivals", metavar="RATE", help="Open model: so many requests a second, e.g. 200/s.")
@click.option("--sessions", type=_COUNT, metavar="N", help="With --arrivals: N connections held open.")
@click.option("--users", type=_COUNT, metavar="N", help="Closed model: N users who wait for each answer.")
@click.option("--think", metavar="TIME", help="With --users: pause after each answer, e.g. 10s.")
@click.option("--poisson", is_flag=True, help="Random arrivals instead of evenly spaced ones.")
@click.option("--shape", metavar="SHAPE",
              help="From --arrivals on: ramp:400/s, steps:5:400/s or spike:400/s.")  # fmt: skip
@click.option("--for", "duration", default="20s", show_default=True, metavar="TIME", help="Measured time.")
@click.option("--warmup", default=load.WARMUP, show_default=True, metavar="TIME",
              help="Before the measured time, not judged; 0s for none.")  # fmt: skip
@click.option("--objective", "objectives", multiple=True, metavar="EXPR",
              help="E.g. 'p(99) < 500ms'; repeatable. Without any, nothing is judged.")  # fmt: skip
@click.option("--method", help="GET, or POST when there is a body, unless said.")
@click.option("--header", "headers", multiple=True, metavar="'NAME: VALUE'",
              help="Repeatable; a value env:VARIABLE is looked up, never written down.")  # fmt: skip
@click.option("--body", metavar="TEXT|@FILE", help="The request's body.")
@click.option("--timeout", default="10s", show_default=True, metavar="TIME", help="For one whole exchange.")
@click.option("--allow-host", "allow_hosts", multiple=True, metavar="HOST",
              help="Any host but this machine must be named here; repeatable.")  # fmt: skip
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True)
@_out
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON, and nothing else.")
@_exits
def load_(out: Path, *, as_json: bool, **options: Any) -> ExitCode:
    """Load one URL and judge it by the objectives given: an ordinary run with an ordinary run folder.

    Exit 0: every objective passed, or none was given and something was measured. A status from 200 to 399 is
    a good answer; redirects are not followed.

    \b
    Examples:
      gameday load http://127.0.0.1:8080/ --arrivals 200/s --for 20s
      gameday load http://127.0.0.1:8080/ --arrivals 50/s --for 2m --objective 'p(99) < 500ms'
      gameday load http://127.0.0.1:8080/items --users 20 --think 1s --body @item.json --json
    """  # noqa: D301 - click wants the character
    prepared = load.prepare(load.Options(**options), out=out, command=["gameday", *sys.argv[1:]])
    writable(out)
    for warning in prepared.warnings:
        _say(f"warning: {warning}")
    with prepared.secrets():
        result = run_request(prepared.request, _say)
    found = figures.of(result.path, result.verdicts) | {"exit": int(result.code)}
    if as_json:
        click.echo(json.dumps(found, indent=1))
    else:
        show.figures(found)
        show.verdicts(result.verdicts)
        click.echo(f"report {result.path / 'report.html'}")
    return result.code


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--objectives", "file", type=click.Path(path_type=Path), metavar="FILE",
              help="Judge by this file of objectives instead; nothing is written.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print verdicts.json instead of the table.")
@_exits
def judge(folder: Path, file: Path | None, *, as_json: bool) -> ExitCode:
    """Judge a run folder again, with the targets as they stand now or with those of a file.

    \b
    Examples:
      gameday judge runs/lexohub-local-20260102T030405Z-0a1b
      gameday judge runs/lexohub-local-20260102T030405Z-0a1b --objectives stricter.toml --json
    """  # noqa: D301 - click wants the character
    verdicts = judge_and_report(folder) if file is None else judge_by(folder, file)
    if as_json:
        click.echo(json.dumps(verdicts.to_json(), indent=1))
    else:
        show.verdicts(verdicts)
    return ExitCode(verdicts.exit)


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@_exits
def report(folder: Path) -> None:
    """Render report.html, report.md and junit.xml of a judged run folder again.

    Example: gameday report runs/lexohub-local-20260102T030405Z-0a1b
    """
    for path in render.render(folder):
        click.echo(str(path))


@main.command()
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
@_exits
def compare(before: Path, after: Path) -> ExitCode:
    """Set two judged runs side by side; exit 1 if something is worse beyond doubt, 3 if nothing can be said.

    Example: gameday compare runs/lexohub-local-20260102T030405Z-0a1b runs/lexohub-local-20260103T030405Z-1b2c
    """
    found = past.compared(before, after)
    show.comparison(found)
    return ExitCode(found.exit)


@main.command()
@click.argument("system")
@_out
@_exits
def history(system: str, out: Path) -> ExitCode:
    """List the judged runs of a system, the latest last; exit 3 if there are none.

    Example: gameday history lexohub
    """
    found = past.of(out).history.of(system)
    show.history(found.entries, found.baselines)
    return ExitCode.PASS if found.entries else ExitCode.INCONCLUSIVE


@main.group()
def baseline() -> None:
    """The run that later ones of the same plan, load and place are compared with.

    Example: gameday baseline set runs/lexohub-local-20260102T030405Z-0a1b
    """


@baseline.command("set")
@click.argument("folder", type=click.Path(path_type=Path))
@_exits
def set_(folder: Path) -> None:
    """Make a run that passed the baseline of its kind.

    Example: gameday baseline set runs/lexohub-local-20260102T030405Z-0a1b
    """
    click.echo(f"{folder.name} is the baseline of runs like {past.make_baseline(folder)}")


@main.command()
@_env
@_exits
def abort(env_name: str) -> None:
    """Stop every experiment that this suite started, undo its faults, free locks whose owners are dead.

    Example: gameday abort --env local
    """
    env = standing.resolved(environment.load(env_name))
    undone = driver.abort(env)
    for line in undone:
        click.echo(str(line))
    if env.aws.lock_bucket and (env.kind != "region" or env.region_file):
        for each in lock.free(env):
            click.echo(each)
    click.echo(f"{len(undone)} undone; nothing of this suite is left open")


main.add_command(replay)
main.add_command(export)
main.add_command(doctor)


@main.group()
def region() -> None:
    """The local region by itself, for writing scenarios.

    Example: gameday region up --env local --detach
    """


@region.command()
@_env
@click.option("--system", default="lexohub", show_default=True)
@click.option("--detach", is_flag=True, help="Return as soon as it is ready.")
@click.option("--port", type=click.IntRange(1, 65535), help="Fixed port for the edge; otherwise a free one.")
@click.option("--json", "as_json", is_flag=True, help="Print region.json when it is ready.")
@_defects
@_exits
def up(env_name: str, system: str, **options: Any) -> ExitCode:
    """Start the local region; in the foreground until Ctrl-C, or with --detach in the background.

    \b
    Examples:
      gameday region up --env local --json
      gameday region up --env local --defect lost-write:every=100,after=40
    """  # noqa: D301 - click wants the character
    planted = options.pop("defects")
    return ExitCode(standing.up(environment.load(env_name), system, planted=planted, **options))


@region.command()
@_env
@_exits
def status(env_name: str) -> None:
    """Print the standing region's region.json.

    Example: gameday region status --env local
    """
    click.echo(standing.status(environment.load(env_name)))


@region.command()
@_env
@_exits
def down(env_name: str) -> None:
    """End the standing region and remove everything it made.

    Example: gameday region down --env local
    """
    click.echo(standing.down(environment.load(env_name)))


def _say(line: str) -> None:
    click.echo(line, err=True)
