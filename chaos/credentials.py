"""Credentials that outlive the fault: whoever starts one must still be able to stop it and see it gone."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError

from chaos.errors import GuardError, UnreachableError
from fixtures import aws
from fixtures.environment import Environment

_NEVER_NEW = {"env"}  # botocore reads the variables again, and nobody changes those of a running process


def check(env: Environment, *, need_s: float) -> None:
    """Refuse credentials that end within `need_s` seconds from now and cannot be renewed meanwhile.

    Raises:
        UnreachableError: there are none.
        GuardError: they end too early, have ended, or are temporary and do not say when they end.
    """
    from botocore.credentials import RefreshableCredentials  # noqa: PLC0415 - see fixtures/aws.py

    found = aws.credentials(env)
    if found is aws.LOCAL:
        return
    if found is None:
        raise UnreachableError("no AWS credentials were found; sign in, or name a profile in AWS_PROFILE")
    try:
        token = found.get_frozen_credentials().token
    except (BotoCoreError, RuntimeError) as error:  # botocore: RuntimeError for renewed ones that have ended
        raise GuardError(f"the AWS credentials cannot be used: {error}; sign in again") from error
    if not token:
        return
    renewable = isinstance(found, RefreshableCredentials)
    if renewable and found.method not in _NEVER_NEW:
        return
    if not renewable:
        raise GuardError(
            f"the AWS credentials ({found.method}) are temporary and do not say when they end; a fault could "
            "not be stopped with ended ones. Set AWS_CREDENTIAL_EXPIRATION, or use a profile that renews them"
        )
    left_s = _ends(found) - time.time()
    if left_s < need_s:
        raise GuardError(
            f"the AWS credentials ({found.method}) end in {left_s / 60:.0f} min and cannot be renewed; the "
            f"fault and the proof that it is gone may take {need_s / 60:.0f} min. Use longer ones, or a "
            "profile that renews them"
        )


def _ends(found: Any) -> float:
    ends: datetime = found._expiry_time  # noqa: SLF001 - botocore tells it nowhere else
    return ends.timestamp()
