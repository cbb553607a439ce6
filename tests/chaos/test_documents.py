"""Automation documents: what they act on must be opted in, is seen from outside, and is proven free again."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chaos import documents, driver, experiment, facts, guard, probes
from chaos.errors import ConfigError, GuardError, ProbeError
from chaos.facts import Context
from chaos.fis import Fis
from chaos.prober import Prober
from chaos.sight import Phase
from fixtures import aws
from fixtures.environment import Environment
from fixtures.region.spec import AppSpec, Process
from fixtures.region.stock import Stock, search
from fixtures.region.stock import documents as shelf
from tests.chaos.stage import OPT_IN, QUICK, Stage, Writer, local, until, writer

THROTTLE = experiment.FOLDER / "lexohub" / "pdf-queue-throttle.json"
ACTION = documents.ACTION
A, B, R = Phase.ARMED, Phase.BROKEN, Phase.RESTORED


@pytest.fixture(scope="module")
def stocked(moto: int) -> Environment:
    """The inventory with our documents, a search domain, and queues with and without an opt-in."""
    env = local(moto)
    process = Process(name="search", module="x", kind="worker")
    spec = AppSpec(system="lexohub", database="", db_cluster="", ecs_cluster="", processes=(process,))
    for part in (shelf, search):
        part.make(
            Stock(
                spec=spec,
                account=env.aws.account,
                region=env.aws.region,
                tags=OPT_IN,
                client=lambda service: aws.client(env, service),
            )
        )
    sqs = aws.client(env, "sqs")
    for name, tags in (("pdf", OPT_IN), ("private", {}), ("others", OPT_IN | {"system": "writlix"})):
        sqs.create_queue(QueueName=name, tags=tags)
    return env


@pytest.fixture
def queue(stocked: Environment) -> Iterator[str]:
    """The pdf queue's URL; its policy is gone afterwards."""
    sqs = aws.client(stocked, "sqs")
    url = str(sqs.get_queue_url(QueueName="pdf")["QueueUrl"])
    yield url
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})


def template(env: Environment, name: str = "pdf-queue-throttle", **given: Any) -> dict[str, Any]:
    """The shipped experiment's, resolved, its documentParameters changed."""
    found = experiment.resolve(experiment.load(THROTTLE.with_stem(name)), env)
    (action,) = found["actions"].values()
    asked = json.loads(action["parameters"]["documentParameters"]) | given
    asked = {key: value for key, value in asked.items() if value is not None}
    action["parameters"]["documentParameters"] = json.dumps(asked, separators=(",", ":"))
    return found


def plan(env: Environment, wanted: dict[str, Any]) -> guard.Plan:
    """A template without targets: FIS is not asked."""
    return guard.plan(env, Fis(client=None), wanted, tags={}, stopped=lambda: False, timeout_s=1)


def test_document_and_resource_are_in_the_plan(stocked: Environment) -> None:
    """Both ARNs, and another queue is another plan."""
    found = plan(stocked, template(stocked))
    assert [arn.split(":", 2)[2] for arn in found.arns] == [
        "sqs:us-east-1:123456789012:pdf",
        "ssm:us-east-1:123456789012:document/gameday-deny-queue",
    ]
    domain = plan(stocked, template(stocked, "search-outage"))
    assert domain.arns[0] == "arn:aws:es:us-east-1:123456789012:domain/lexohub-search"
    assert domain.hash != found.hash


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"QueueName": "private"}, "opt in with {'gameday': 'ready', 'system': 'lexohub'}"),
        ({"QueueName": "others"}, "opt in with {'system': 'lexohub'}"),
        ({"QueueName": "missing"}, "cannot be read"),
        ({"QueueName": "eu-prod-1"}, "cannot be read|says prod"),
        ({"QueueName": "x:y"}, "expected a plain name"),
        ({"QueueName": None}, "names nothing to act on"),
        ({"DomainName": "elsewhere"}, "opt in"),
        ({"FunctionName": "pay"}, r"documentParameters has \['FunctionName'\]"),
    ],
)
def test_what_is_not_opted_in_is_refused(stocked: Environment, given: dict[str, Any], said: str) -> None:
    """A queue without its owner's tags, another system's, one that is not there, and what cannot be told."""
    with pytest.raises(GuardError, match=said):
        plan(stocked, template(stocked, **given))


def test_another_document_is_refused(stocked: Environment) -> None:
    """Its owner has to opt in as well, and it must be of this account."""
    wanted = template(stocked)
    (action,) = wanted["actions"].values()
    aws.client(stocked, "ssm").create_document(
        Name="strange", DocumentType="Automation", Content='{"schemaVersion": "0.3", "mainSteps": []}'
    )
    for arn, said in (
        ("arn:aws:ssm:us-east-1:123456789012:document/strange", "opt in"),
        ("arn:aws:ssm:us-east-1::document/AWS-DeleteImage", "outside"),
        ("arn:aws:ssm:us-east-1:123456789012:document/nonesuch", "cannot be read"),
    ):
        action["parameters"]["documentArn"] = arn
        with pytest.raises(GuardError, match=said):
            plan(stocked, wanted)


def test_without_tags_nobody_is_asked(stocked: Environment) -> None:
    """A template that says no opt-in is refused, not taken for one that needs none."""
    with pytest.raises(GuardError, match="no opt-in to ask for"):
        plan(stocked, {**template(stocked), "tags": {"gameday": "ready"}})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"tags": {"gameday": "ready"}}, "tags are {'gameday': 'ready'}; expected at least"),
        ({"documentArn": "arn:aws:ssm:us-east-1::document/AWS-X"}, "expected arn:aws:ssm:${env.region}"),
        ({"documentParameters": "{"}, "expected a JSON object"),
        ({"documentParameters": '{"Duration":"PT2M"}'}, "names nothing to act on"),
    ],
)
def test_a_file_that_says_too_little_is_refused(
    tmp_path_factory: pytest.TempPathFactory, change: dict[str, Any], said: str
) -> None:
    """Before anybody is asked anything, with the file's line."""
    data = json.loads(THROTTLE.read_text("utf-8"))
    where = data["template"] if "tags" in change else data["template"]["actions"]["deny"]["parameters"]
    where |= change
    path = tmp_path_factory.mktemp("lexohub", numbered=True) / "lexohub" / "mine.json"
    path.parent.mkdir()
    path.write_text(json.dumps(data, indent=1), "utf-8")
    with pytest.raises(ConfigError) as caught:
        experiment.load(path)
    assert said in str(caught.value)


def denial(arn: str, *, sid: str = "Gameday1", until_s: float | None = 60.0) -> str:
    """A policy with our statement, which ends so many seconds from now."""
    one: dict[str, Any] = {"Sid": sid, "Effect": "Deny", "Principal": "*", "Resource": arn}
    one["Action"] = ["sqs:ReceiveMessage", "sqs:ChangeMessageVisibility"]
    if until_s is not None:
        end = (datetime.now(UTC) + timedelta(seconds=until_s)).strftime("%Y-%m-%dT%H:%M:%SZ")
        one["Condition"] = {"DateLessThan": {"aws:CurrentTime": end}}
    return json.dumps({"Version": "2012-10-17", "Statement": one})


@pytest.mark.parametrize(
    ("policy", "free"),
    [
        ({}, False),
        ({"until_s": None}, False),
        ({"until_s": -5.0}, True),
        ({"sid": "theirs"}, True),
    ],
)
def test_a_statement_of_ours_in_force_is_amiss(
    stocked: Environment, queue: str, policy: dict[str, Any], free: bool
) -> None:
    """Others' statements are their own business, and one that has lapsed denies nothing."""
    arn = "arn:aws:sqs:us-east-1:123456789012:pdf"
    context = Context(env=stocked, region=None, template={}, arns=(arn, "arn:aws:ssm:us-east-1:1:document/x"))
    assert facts.problem([ACTION], context) == ""
    text = denial(arn, **policy)
    aws.client(stocked, "sqs").set_queue_attributes(QueueUrl=queue, Attributes={"Policy": text})
    assert (facts.problem([ACTION], context) == "") is free


def test_a_domain_is_asked_for_its_policy(stocked: Environment) -> None:
    """As it stands in the inventory it holds nothing of ours."""
    arn = "arn:aws:es:us-east-1:123456789012:domain/lexohub-search"
    context = Context(env=stocked, region=None, template={}, arns=(arn,))
    assert facts.problem([ACTION], context) == ""
    gone = replace(context, arns=(arn.replace("lexohub", "gone"),))
    assert "cannot be told" in facts.problem([ACTION], gone)


def test_the_queue_probe_sees_a_denial_and_its_end(stocked: Environment, queue: str) -> None:
    """First and last sight, and no message was taken or hidden."""
    sqs = aws.client(stocked, "sqs")
    sqs.send_message(QueueUrl=queue, MessageBody="kept")
    edges: list[str] = []
    probe = probes.kind("queue").make({"queue": "pdf"}, stocked, None)
    with Prober(probe=probe, every_s=0.02, record=lambda edge, _: edges.append(edge)) as prober:
        prober.begin()
        text = denial("arn:aws:sqs:us-east-1:123456789012:pdf")
        sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": text})
        assert prober.await_first(5)
        assert "AccessDenied" in str(prober.first)
        sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": ""})
        assert prober.await_gone(5)
        assert prober.last is not None
    assert edges == ["first", "last"]
    (found,) = sqs.receive_message(QueueUrl=queue, AttributeNames=["All"])["Messages"]
    assert found["Attributes"]["ApproximateReceiveCount"] == "1"
    sqs.purge_queue(QueueUrl=queue)


def test_a_queue_that_is_not_there_cannot_be_probed(stocked: Environment) -> None:
    """Nothing is armed on it."""
    with pytest.raises(ProbeError, match="nonesuch cannot be probed"):
        probes.kind("queue").make({"queue": "nonesuch"}, stocked, None)


@pytest.fixture
def who() -> Iterator[Writer]:
    with writer() as found:
        yield found


def test_the_status_probe_sees_errors_begin_and_end(who: Writer) -> None:
    """One bad answer is no fault; two in a row are, and then three good ones end it."""
    probe = probes.kind("status").make({"url": f"http://127.0.0.1:{who.port}/health?deep=1"}, local(1), None)
    seen = []
    for status in (200, 503, 200, 503, 503, 200, 200):
        who.status = status
        seen.append(probe.compare({"error": "", "seen": False}, probe.read()))
    assert [phase for phase, _ in seen] == [A, B, A, B, B, R, R]
    assert seen[1][1] == "status 503"
    who.status = 200
    armed = probe.read()
    assert (probe.refusal(armed), probe.compare(armed, probe.read())[0]) == ("", A)
    who.down()
    assert "refused" in probe.refusal(probe.read()).lower()


@pytest.mark.parametrize("url", ["http://example.com/", "ftp://127.0.0.1/", "region:edge/health"])
def test_a_status_is_asked_of_known_hosts_only(url: str) -> None:
    """Other hosts and schemes are refused before anything is sent."""
    with pytest.raises((GuardError, ProbeError)):
        probes.kind("status").make({"url": url}, local(1), None)


def test_a_denial_is_started_seen_and_proven_gone(stage: Stage, stocked: Environment, queue: str) -> None:
    """The whole way through FIS and the document: seen to begin and end, the policy clean, nothing left."""
    wanted = replace(experiment.load(THROTTLE), every_s=0.02)
    outcome = driver.run(
        wanted,
        stage.env,
        stage.folder,
        stop=stage.stop,
        deadline=time.time() + 40,
        run_id=stage.folder.name,
        commit="0123abc",
        log=stage.journal,
        patience=QUICK,
    )
    assert outcome.ok, outcome.summary
    assert (outcome.state, outcome.observed, outcome.verified) == ("completed", True, True)
    assert [event["edge"] for event in stage.events("probe")] == ["first", "last"]
    found = aws.client(stocked, "sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["Policy"])
    assert not found.get("Attributes", {}).get("Policy")
    assert stage.journal.open_entries() == []
    until(lambda: all(status.over for status in Fis.of(stage.env).experiments()))
