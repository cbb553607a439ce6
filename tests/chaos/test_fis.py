"""FIS through boto3: pages, tags, tokens, and what it refuses, against botocore's own shapes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from chaos.errors import FisError
from chaos.fis import SUITE_TAGS, Action, Fis

MOMENT = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture
def stubbed() -> Iterator[tuple[Fis, Stubber]]:
    client = boto3.client("fis", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as stub:
        yield Fis(client=client), stub
        stub.assert_no_pending_responses()


def described(state: str, **more: Any) -> dict[str, Any]:
    return {"experiment": {"id": "EXP1", "state": {"status": state, "reason": "because"}, **more}}


def test_a_template_carries_the_suite_s_tags(stubbed: tuple[Fis, Stubber]) -> None:
    """The template's own tags stay, ours come on top."""
    fis, stub = stubbed
    sent = {"description": "d", "actions": {}, "stopConditions": [], "roleArn": "r" * 20}
    tags = {"mine": "1", **SUITE_TAGS, "gameday-run": "r"}
    stub.add_response(
        "create_experiment_template",
        {"experimentTemplate": {"id": "EXT1"}},
        {**sent, "clientToken": ANY, "tags": tags},
    )
    assert fis.create_template({**sent, "tags": {"mine": "1"}}, {"gameday-run": "r"}) == "EXT1"


def test_a_start_uses_the_given_token(stubbed: tuple[Fis, Stubber]) -> None:
    """So that a repeated request starts nothing twice."""
    fis, stub = stubbed
    expected = {
        "clientToken": "t",
        "experimentTemplateId": "EXT1",
        "experimentOptions": {"actionsMode": "run-all"},
        "tags": {**SUITE_TAGS, "a": "b"},
    }
    stub.add_response("start_experiment", described("initiating"), expected)
    assert fis.start("EXT1", token="t", tags={"a": "b"}).state == "initiating"


def test_a_status_says_what_every_action_did(stubbed: tuple[Fis, Stubber]) -> None:
    """States, reasons and times, and whether anything may have been changed."""
    fis, stub = stubbed
    actions = {
        "b": {"state": {"status": "failed", "reason": "no such thing"}},
        "a": {"state": {"status": "cancelled"}},
    }
    stub.add_response(
        "get_experiment", described("failed", actions=actions, startTime=MOMENT), {"id": "EXP1"}
    )
    status = fis.status("EXP1")
    assert status.actions == {
        "a": Action(state="cancelled"),
        "b": Action(state="failed", reason="no such thing"),
    }
    assert (status.over, status.touched, status.started, status.ended) == (
        True,
        True,
        MOMENT.timestamp(),
        None,
    )


@pytest.mark.parametrize("state", ["pending", "initiating", "cancelled", "skipped"])
def test_an_action_that_did_not_begin_touched_nothing(stubbed: tuple[Fis, Stubber], state: str) -> None:
    """Then there is no effect to wait for."""
    fis, stub = stubbed
    stub.add_response("get_experiment", described("stopped", actions={"a": {"state": {"status": state}}}))
    assert not fis.status("EXP1").touched


def test_experiments_and_targets_are_read_page_by_page(stubbed: tuple[Fis, Stubber]) -> None:
    """Only what carries our tag is ours."""
    fis, stub = stubbed
    pages = [
        [{"id": "EXP1", "tags": SUITE_TAGS}, {"id": "EXP2", "tags": {"theirs": "1"}}],
        [{"id": "EXP3", "tags": SUITE_TAGS}],
    ]
    stub.add_response("list_experiments", {"experiments": pages[0], "nextToken": "n"}, {})
    stub.add_response("list_experiments", {"experiments": pages[1]}, {"nextToken": "n"})
    assert [status.id for status in fis.experiments()] == ["EXP1", "EXP3"]
    one = {"targetName": "t", "resourceType": "x", "targetInformation": {"arn": "arn:b"}}
    two = {**one, "targetInformation": {"taskArn": "arn:a"}}
    query = {"experimentId": "EXP1"}
    stub.add_response("list_experiment_resolved_targets", {"resolvedTargets": [one], "nextToken": "n"}, query)
    stub.add_response(
        "list_experiment_resolved_targets", {"resolvedTargets": [two]}, {**query, "nextToken": "n"}
    )
    assert [target.arn for target in fis.resolved("EXP1")] == ["arn:a", "arn:b"]


def test_a_template_that_is_gone_is_as_good_as_deleted(stubbed: tuple[Fis, Stubber]) -> None:
    """Any other refusal is said."""
    fis, stub = stubbed
    stub.add_client_error("delete_experiment_template", "ResourceNotFoundException", http_status_code=404)
    fis.delete_template("EXT1")
    stub.add_client_error("delete_experiment_template", "ConflictException", http_status_code=409)
    with pytest.raises(FisError, match="would not delete the template EXT1"):
        fis.delete_template("EXT1")


def test_an_experiment_that_has_ended_is_as_good_as_stopped(stubbed: tuple[Fis, Stubber]) -> None:
    """One that runs on is not."""
    fis, stub = stubbed
    for state in ("completed", "running"):
        stub.add_client_error("stop_experiment", "ValidationException", http_status_code=400)
        stub.add_response("get_experiment", described(state))
    fis.stop("EXP1")
    with pytest.raises(FisError, match="would not stop"):
        fis.stop("EXP1")


def test_a_refusal_says_what_was_asked(stubbed: tuple[Fis, Stubber]) -> None:
    """FIS's own words are kept."""
    fis, stub = stubbed
    stub.add_client_error(
        "start_experiment", "ServiceQuotaExceededException", "5 active", http_status_code=402
    )
    with pytest.raises(FisError, match=r"start an experiment from EXT1.*5 active"):
        fis.start("EXT1", token="t", tags={})
