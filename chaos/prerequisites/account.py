"""The credentials: of the allowed account, and good for long enough or renewable."""

from __future__ import annotations

from collections.abc import Iterator

from chaos import credentials, guard
from chaos.errors import GuardError
from chaos.prerequisites import Asked, Finding
from chaos.proof import Patience


def check(asked: Asked) -> Iterator[Finding]:
    """STS says whose they are, botocore when they end."""
    env = asked.env
    try:
        guard.check_account(env)
        credentials.check(env, need_s=Patience.of(env).recovery_s)
    except GuardError as error:
        yield asked.missing(str(error), f"sign in to account {env.aws.account}")
        return
    yield asked.there(f"credentials of account {env.aws.account} in {env.aws.region}")
