"""Credentials: good for as long as the fault and its end may take, or renewable."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chaos import credentials
from chaos.errors import GuardError, UnreachableError
from fixtures import aws, environment
from fixtures.environment import Environment

NEED_S = 1800.0


@pytest.fixture
def staging(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    """An environment on AWS, with nobody's credentials."""
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN", "CREDENTIAL_EXPIRATION", "PROFILE"):
        monkeypatch.delenv(f"AWS_{name}", raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    local = environment.load("local")
    return replace(local, kind="aws", aws=replace(local.aws, endpoint=None))


def lend(monkeypatch: pytest.MonkeyPatch, *, ends_in: float | None, token: str = "t") -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("AWS_SESSION_TOKEN", token)
    if ends_in is not None:
        monkeypatch.setenv("AWS_CREDENTIAL_EXPIRATION", _at(ends_in))


def _at(seconds: float) -> str:
    return datetime.fromtimestamp(time.time() + seconds, UTC).isoformat()


def test_none_at_all_are_said(staging: Environment) -> None:
    """Nobody can be asked for anything."""
    with pytest.raises(UnreachableError, match="no AWS credentials"):
        credentials.check(staging, need_s=NEED_S)


def test_keys_that_never_end_will_do(staging: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a session token nothing ends."""
    lend(monkeypatch, ends_in=None, token="")
    assert not aws.credentials(staging).token
    credentials.check(staging, need_s=float("inf"))


@pytest.mark.parametrize("ends_in", [NEED_S - 60, -60.0])
def test_those_that_end_before_the_fault_are_refused(
    staging: Environment, monkeypatch: pytest.MonkeyPatch, ends_in: float
) -> None:
    """The variables of a running process are never renewed, whatever botocore calls them."""
    lend(monkeypatch, ends_in=ends_in)
    with pytest.raises(GuardError, match=r"cannot be (renewed|used)"):
        credentials.check(staging, need_s=NEED_S)


def test_those_that_end_later_will_do(staging: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """Long enough is long enough, and not for longer."""
    lend(monkeypatch, ends_in=NEED_S + 60)
    credentials.check(staging, need_s=NEED_S)
    with pytest.raises(GuardError, match="cannot be renewed"):
        credentials.check(staging, need_s=NEED_S + 120)


def test_temporary_ones_that_do_not_say_when_they_end_are_refused(
    staging: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They might end in the middle of the fault."""
    lend(monkeypatch, ends_in=None)
    with pytest.raises(GuardError, match="AWS_CREDENTIAL_EXPIRATION"):
        credentials.check(staging, need_s=NEED_S)


def test_those_that_are_renewed_will_do_however_short(staging: Environment, tmp_path: Path) -> None:
    """A provider that hands out new ones - here a program - outlasts every fault."""
    keys = {"AccessKeyId": "x", "SecretAccessKey": "x", "SessionToken": "t"}
    answer = {"Version": 1, **keys, "Expiration": _at(60)}
    (tmp_path / "answer.json").write_text(json.dumps(answer), "utf-8")
    program = f"[default]\ncredential_process = cat {tmp_path / 'answer.json'}\n"
    (tmp_path / "config").write_text(program, "utf-8")
    assert aws.credentials(staging).token == "t"
    credentials.check(staging, need_s=float("inf"))


def test_the_local_region_s_never_end() -> None:
    """They are fixed."""
    local = environment.load("local")
    there = replace(local, aws=replace(local.aws, endpoint="http://127.0.0.1:1"))
    assert aws.credentials(there) is aws.LOCAL
    credentials.check(there, need_s=float("inf"))
