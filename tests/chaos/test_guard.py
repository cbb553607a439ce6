"""The locks: each one is closed by what it is there for, and open otherwise."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chaos import alarms, guard
from chaos.errors import GuardError
from chaos.fis import Fis, Target
from fixtures.environment import Environment
from tests.chaos.stage import ALARM, CLUSTER, OPT_IN, Stage


def never() -> bool:
    return False


def cluster(name: str, *, account: str = "123456789012", region: str = "us-east-1") -> Target:
    return Target(
        name="cluster",
        type="aws:rds:cluster",
        information={"arn": f"arn:aws:rds:{region}:{account}:cluster:{name}"},
    )


def test_the_environment_s_own_account_is_let_through(env: Environment) -> None:
    """STS says whose credentials they are."""
    guard.check_account(env)


def test_another_account_is_refused(env: Environment) -> None:
    """Credentials of an account that the environment does not name stop everything."""
    with pytest.raises(GuardError, match="credentials of account 123456789012"):
        guard.check_account(replace(env, aws=replace(env.aws, account="999999999999")))


@pytest.mark.parametrize("endpoint", [None, "https://fis.us-east-1.amazonaws.com"])
def test_a_local_environment_stays_on_loopback(env: Environment, endpoint: str | None) -> None:
    """A local environment without a loopback endpoint would reach the real AWS."""
    with pytest.raises(GuardError, match="loopback"):
        guard.check_account(replace(env, aws=replace(env.aws, endpoint=endpoint)))


def test_an_unreachable_account_is_refused(env: Environment) -> None:
    """No identity, no fault."""
    with pytest.raises(GuardError, match="cannot be told"):
        guard.check_account(replace(env, aws=replace(env.aws, endpoint="http://127.0.0.1:1")))


@pytest.mark.parametrize("word", ["prod", "eu-prod-1", "Production", "lexohub-PROD", "prodeu", "preprod"])
def test_prod_is_refused_wherever_it_stands(env: Environment, word: str) -> None:
    """In a template, an environment's name, a role or an address."""
    for named, template in (
        (env, {"targets": {"t": {"parameters": {"cluster": word}}}}),
        (env, {"targets": {word: {}}}),
        (replace(env, name=word), {}),
        (replace(env, urls={"api": f"https://{word}.example.com"}), {}),
        (replace(env, aws=replace(env.aws, roles={"fis": f"arn:aws:iam::1:role/{word}"})), {}),
    ):
        with pytest.raises(GuardError, match="says prod"):
            guard.check_names(named, template)


@pytest.mark.parametrize("word", ["product", "products-api", "staging", "reader"])
def test_other_words_are_let_through(env: Environment, word: str) -> None:
    """A products service is not production."""
    guard.check_names(env, {"targets": {"t": {"parameters": {"cluster": word}}}})


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (cluster(CLUSTER, account="999999999999"), "outside"),
        (cluster(CLUSTER, region="eu-west-1"), "outside"),
        (cluster("untagged"), "opt in"),
        (cluster("missing"), "opt in"),
        (Target(name="x", type="aws:rds:cluster", information={"name": "y"}), "expected an ARN"),
    ],
)
def test_a_resource_that_may_not_be_broken_is_refused(env: Environment, target: Target, said: str) -> None:
    """Another account or region, no opt-in, or nothing that can be checked."""
    with pytest.raises(GuardError, match=said):
        guard.check_target(env, target, OPT_IN)


def test_a_tagged_resource_called_prod_is_refused(env: Environment) -> None:
    """The opt-in does not outweigh the name."""
    with pytest.raises(GuardError, match="says prod"):
        guard.check_target(env, cluster("eu-prod-1"), {"gameday": "ready"})


def test_an_opted_in_resource_is_let_through(env: Environment) -> None:
    """Right account and region, tagged by its owner."""
    guard.check_target(env, cluster(CLUSTER), OPT_IN)


def test_the_hash_names_template_and_resources() -> None:
    """Order does not matter, anything else does."""
    two = [cluster("a"), cluster("b")]
    same = guard.hash_of({"a": 1, "b": 2}, two)
    assert same == guard.hash_of({"b": 2, "a": 1}, reversed(two))
    assert same != guard.hash_of({"a": 1, "b": 3}, two)
    assert same != guard.hash_of({"a": 1, "b": 2}, two[:1])


def template(env: Environment, **target: object) -> dict[str, object]:
    return {
        "description": "test",
        "roleArn": env.aws.roles["fis"],
        "stopConditions": [{"source": "aws:cloudwatch:alarm", "value": env.aws.alarms["customer-impact"]}],
        "targets": {
            "cluster": {
                "resourceType": "aws:rds:cluster",
                "resourceTags": OPT_IN,
                "selectionMode": "COUNT(1)",
                **target,
            }
        },
        "actions": {"go": {"actionId": "aws:rds:failover-db-cluster", "targets": {"Clusters": "cluster"}}},
        "experimentOptions": {"emptyTargetResolutionMode": "fail"},
    }


def test_a_plan_breaks_nothing_and_leaves_nothing(stage: Stage) -> None:
    """The preview resolves the cluster; no failover happens and no template stays."""
    fis = Fis.of(stage.env)
    found = guard.plan(stage.env, fis, template(stage.env), tags={}, stopped=never, timeout_s=10)
    assert [arn.rsplit(":", 1)[1] for arn in found.arns] == [CLUSTER]
    assert (stage.control.failovers, list(fis.templates())) == (0, [])
    stage.set_alarm("ALARM")  # as before a run, when nobody publishes what it watches
    again = guard.plan(stage.env, fis, template(stage.env), tags={}, stopped=never, timeout_s=10)
    assert again.hash == found.hash
    other = template(stage.env, resourceTags={**OPT_IN, "system": "writlix"})
    with pytest.raises(GuardError, match="empty set"):
        guard.plan(stage.env, fis, other, tags={}, stopped=never, timeout_s=10)


def test_the_stop_alarm_must_exist_and_be_ok(stage: Stage) -> None:
    """In ALARM nothing starts; without it nothing starts either; once OK the wait is over."""
    stage.set_alarm("ALARM")
    with pytest.raises(GuardError, match="must be OK"):
        alarms.await_ok(stage.env, "customer-impact", timeout_s=0.1, stopped=never, pause_s=0.02)
    with pytest.raises(GuardError, match="nothing was broken"):
        alarms.await_ok(stage.env, "customer-impact", timeout_s=60, stopped=lambda: True)
    settings = replace(stage.env.aws, alarms={"customer-impact": "arn:aws:cloudwatch:x:1:alarm:nobody"})
    with pytest.raises(GuardError, match="nobody does not exist"):
        alarms.await_ok(
            replace(stage.env, aws=settings), "customer-impact", timeout_s=1, stopped=never, pause_s=0.02
        )
    looks: list[int] = []

    def cleared() -> bool:
        looks.append(1)
        stage.set_alarm("OK")
        return False

    alarms.await_ok(stage.env, "customer-impact", timeout_s=10, stopped=cleared, pause_s=0.02)
    assert looks == [1]


def test_an_alarm_s_name_may_hold_colons() -> None:
    """Only the first `:alarm:` separates."""
    assert alarms.name_of(f"arn:aws:cloudwatch:us-east-1:1:alarm:a:{ALARM}") == f"a:{ALARM}"
