"""Every command ends with a documented exit code, and an error in one line on stderr."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from chaos.errors import ChaosError
from chaos.errors import ConfigError as ExperimentError
from fixtures.errors import ConfigError as EnvironmentConfigError
from fixtures.errors import FixtureError
from gameday import check
from gameday.errors import ConfigError, GamedayError, Interrupted
from gameday.exitcodes import ExitCode
from reports.errors import ReportError
from slo.errors import ConfigError as ObjectiveError
from slo.errors import RecordError, SloError

_USAGE = (ConfigError, ExperimentError, EnvironmentConfigError, ObjectiveError, RecordError)
_BROKEN = (GamedayError, FixtureError, ChaosError, SloError, ReportError, OSError)


def exits(command: Callable[..., ExitCode | None]) -> Callable[..., None]:
    """Turn what a command raises into a line on stderr and the documented exit code."""

    @wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> None:
        try:
            code = command(*args, **kwargs) or ExitCode.PASS
        except Interrupted as error:
            click.echo(str(error), err=True)
            code = ExitCode.INTERRUPTED
        except _USAGE as error:
            click.echo(f"error: {check.located(error)}", err=True)
            code = ExitCode.USAGE
        except _BROKEN as error:
            click.echo(f"error: {error}", err=True)
            code = ExitCode.BROKEN
        except KeyboardInterrupt:
            code = ExitCode.INTERRUPTED
        sys.exit(code)

    return wrapped
