"""Prerequisites: each that is missing is named with how to get it, and each that is there is not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from chaos import experiment, prerequisites
from chaos.experiment import Experiment
from fixtures import aws
from fixtures.environment import Environment
from tests.chaos.stage import ALARM, OPT_IN, Stage

ACCOUNT = "123456789012"
ARN = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:email"
TAGS = {"resourceTags": OPT_IN, "selectionMode": "ALL"}


def wanted(
    action: str, resource: str, *, target: Mapping[str, Any] | None = None, **given: str
) -> Experiment:
    """The shipped failover with another action on another target."""
    found = experiment.load(experiment.FOLDER / "lexohub" / "aurora-failover.json")
    targets = {"it": {"resourceType": resource, **TAGS, **(target or {})}}
    actions = {"go": {"actionId": action, "parameters": given, "targets": {"Any": "it"}}}
    return replace(found, template={**found.template, "targets": targets, "actions": actions})


def found(
    kind: str, one: Experiment, env: Environment, clients: dict[str, Any] | None = None
) -> list[tuple[str, str]]:
    """State and words of every finding of a kind."""
    return [(each.state, each.said) for each in prerequisites.of(one, env, clients, kinds=[kind])]


@pytest.fixture
def staging(env: Environment) -> Environment:
    """The inventory, taken for AWS."""
    return replace(env, kind="aws", region=None)


def stubbed(service: str, *answers: tuple[str, dict[str, Any]]) -> Any:
    """A client that gives these answers in turn, each checked against botocore's own shapes."""
    client = boto3.client(service, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    stub = Stubber(client)
    for operation, answer in answers:
        stub.add_response(operation, answer)
    stub.activate()
    return client


FAILOVER = ("aws:rds:failover-db-cluster", "aws:rds:cluster")


def test_a_role_must_be_there_and_let_fis_in(staging: Environment) -> None:
    """Missing, trusting somebody else, trusting FIS."""
    one, iam = wanted(*FAILOVER), aws.client(staging, "iam")
    name = experiment.resolve(one, staging)["roleArn"].rsplit("/", 1)[-1]
    (state, said) = found("role", one, staging)[0]
    assert (state, "does not exist" in said) == ("missing", True)
    for service, expected in (("ec2", "missing"), ("fis", "there")):
        principal = {"Service": f"{service}.amazonaws.com"}
        rule = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [rule]})
        if service == "ec2":
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=trust)
        assert found("role", one, staging)[0][0] == expected
    iam.delete_role(RoleName=name)


def test_the_stop_alarm_must_be_there_and_not_ring(stage: Stage) -> None:
    """An alarm that rings only because nobody publishes yet is as it must be."""
    staging, cloudwatch = replace(stage.env, kind="aws", region=None), aws.client(stage.env, "cloudwatch")
    one = wanted(*FAILOVER)
    assert found("alarm", one, staging) == [("there", f"the stop alarm {ALARM} is OK")]
    stage.set_alarm("ALARM")
    assert found("alarm", one, staging)[0][0] == "missing"
    described = cloudwatch.describe_alarms(AlarmNames=[ALARM])["MetricAlarms"][0]
    assert described["MetricName"] == "GoodRatio"
    silent = {**described, "TreatMissingData": "breaching"}
    clients = {"cloudwatch": stubbed("cloudwatch", ("describe_alarms", {"MetricAlarms": [silent]}))}
    assert "silence breaches" in found("alarm", one, staging, clients)[0][1]
    nobody = replace(staging.aws, alarms={"customer-impact": "arn:aws:cloudwatch:us-east-1:1:alarm:nobody"})
    assert found("alarm", one, replace(staging, aws=nobody)) == [
        ("missing", "the stop alarm nobody does not exist")
    ]


def test_targets_must_carry_their_owner_s_tags(staging: Environment) -> None:
    """By the service that owns them; none is missing."""
    one = wanted(*FAILOVER)
    state, said = found("targets", one, staging)[0]
    assert (state, "cluster:lexohub-cluster" in said) == ("there", True)
    none = wanted(*FAILOVER, target={"resourceTags": {**OPT_IN, "system": "writlix"}})
    assert found("targets", none, staging)[0][0] == "missing"
    table = wanted("aws:dynamodb:global-table-pause-replication", "aws:dynamodb:global-table")
    answer = {"ResourceTagMappingList": [{"ResourceARN": "arn:aws:dynamodb:us-east-1:1:table/t"}]}
    clients = {"resourcegroupstaggingapi": stubbed("resourcegroupstaggingapi", ("get_resources", answer))}
    assert found("targets", table, staging, clients)[0][0] == "there"


def test_a_cluster_needs_somebody_to_fail_over_to(staging: Environment) -> None:
    """The stage's cluster has no instances at all."""
    assert found("databases", wanted(*FAILOVER), staging)[0][0] == "missing"
    cluster = {
        "DBClusterArn": "arn:aws:rds:us-east-1:1:cluster:c",
        "TagList": [{"Key": key, "Value": value} for key, value in OPT_IN.items()],
        "DBClusterMembers": [
            {"DBInstanceIdentifier": "a", "IsClusterWriter": True},
            {"DBInstanceIdentifier": "b", "IsClusterWriter": False},
        ],
    }
    answer = ("describe_db_clusters", {"DBClusters": [cluster]})
    clients = {"rds": stubbed("rds", answer)}
    assert found("databases", wanted(*FAILOVER), staging, clients)[0][0] == "there"


@pytest.mark.parametrize(("zones", "expected"), [(True, "there"), (False, "missing")])
def test_a_rebooted_instance_needs_a_standby(staging: Environment, expected: str, *, zones: bool) -> None:
    """With forceFailover; a plain reboot needs none."""
    reboot = ("aws:rds:reboot-db-instances", "aws:rds:db")
    tags = [{"Key": key, "Value": value} for key, value in OPT_IN.items()]
    instance = {"DBInstanceArn": "arn:aws:rds:us-east-1:1:db:d", "TagList": tags, "MultiAZ": zones}
    answer = ("describe_db_instances", {"DBInstances": [instance]})
    clients = {"rds": stubbed("rds", answer)}
    assert found("databases", wanted(*reboot, forceFailover="true"), staging, clients)[0][0] == expected
    assert found("databases", wanted(*reboot), staging, {}) == []


@pytest.mark.parametrize(("zones", "expected"), [("enabled", "there"), ("disabled", "missing")])
def test_a_cache_needs_nodes_in_another_zone(staging: Environment, zones: str, expected: str) -> None:
    """Multi-AZ and automatic failover."""
    arn = f"arn:aws:elasticache:us-east-1:{ACCOUNT}:replicationgroup:g"
    group = {"ReplicationGroupId": "g", "ARN": arn, "MultiAZ": zones, "AutomaticFailover": "enabled"}
    tags = {"TagList": [{"Key": key, "Value": value} for key, value in OPT_IN.items()]}
    answers = [
        ("describe_replication_groups", {"ReplicationGroups": [group]}),
        ("list_tags_for_resource", tags),
    ]
    clients = {"elasticache": stubbed("elasticache", *answers)}
    one = wanted("aws:elasticache:replicationgroup-interrupt-az-power", "aws:elasticache:replicationgroup")
    assert [state for state, _ in found("caches", one, staging, clients)] == [expected]


EXTENSION = {
    "Layers": [{"Arn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:layer:aws-fis-extension-x86_64:9"}],
    "Environment": {
        "Variables": {
            "AWS_FIS_CONFIGURATION_LOCATION": "arn:aws:s3:::fis-config/FisConfigs/",
            "AWS_LAMBDA_EXEC_WRAPPER": "/opt/aws-fis/bootstrap",
        }
    },
}


@pytest.mark.parametrize(
    ("described", "expected"),
    [
        (EXTENSION, ["there", "there"]),
        ({}, ["missing"]),
        ({"Environment": EXTENSION["Environment"]}, ["missing", "there"]),
        ({"Layers": EXTENSION["Layers"]}, ["missing"]),
    ],
)
def test_a_function_needs_the_extension_and_its_bucket(
    staging: Environment, described: dict[str, Any], expected: list[str]
) -> None:
    """Layer, two variables, and the bucket that one of them names."""
    function = {"FunctionName": "email", "FunctionArn": ARN, **described}
    clients = {
        "lambda": stubbed(
            "lambda", ("list_functions", {"Functions": [function]}), ("list_tags", {"Tags": OPT_IN})
        ),
        "s3": stubbed("s3", ("head_bucket", {})),
    }
    one = wanted("aws:lambda:invocation-error", "aws:lambda:function")
    assert [state for state, _ in found("functions", one, staging, clients)] == expected


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        (
            {"pidMode": "task", "enableFaultInjection": True},
            ("there", "lets aws:ecs:task-network-latency in"),
        ),
        ({"pidMode": "task"}, ("missing", "lacks enableFaultInjection for")),
        ({"enableFaultInjection": True}, ("missing", "lacks pidMode task for")),
    ],
)
def test_faults_inside_tasks_need_an_agent_and_a_definition_that_lets_it(
    staging: Environment, definition: dict[str, Any], expected: tuple[str, str]
) -> None:
    """The service hands its tags down, and ECS Exec is off."""
    arn = f"arn:aws:ecs:us-east-1:{ACCOUNT}:task-definition/api:3"
    image = "public.ecr.aws/amazon-ssm-agent/amazon-ssm-agent:latest"
    task = {
        "taskArn": f"arn:aws:ecs:us-east-1:{ACCOUNT}:task/lexohub/1",
        "taskDefinitionArn": arn,
        "lastStatus": "RUNNING",
        "group": "service:api",
        "tags": [{"key": key, "value": value} for key, value in OPT_IN.items()],
    }
    listed = [("list_tasks", {"taskArns": [task["taskArn"]]}), ("describe_tasks", {"tasks": [task]})]
    service = {"serviceName": "api", "propagateTags": "SERVICE", "enableExecuteCommand": False}
    described = {**definition, "containerDefinitions": [{"name": "agent", "image": image}]}
    clients = {
        "ecs": stubbed(
            "ecs",
            ("describe_services", {"services": [service]}),
            *listed,
            ("describe_task_definition", {"taskDefinition": described}),
        )
    }
    target = {"parameters": {"cluster": "lexohub", "service": "api"}}
    one = wanted("aws:ecs:task-network-latency", "aws:ecs:task", target=target)
    (propagated, _), (state, said) = found("tasks", one, staging, clients)
    assert (propagated, state) == ("there", expected[0])
    assert expected[1] in said


def test_a_document_must_be_there(staging: Environment) -> None:
    """By its name in the ARN."""
    one = wanted(*FAILOVER)
    arn = f"arn:aws:ssm:us-east-1:{ACCOUNT}:document/gameday-x"
    action = {"actionId": "aws:ssm:start-automation-execution", "parameters": {"documentArn": arn}}
    one = replace(one, template={**one.template, "targets": {}, "actions": {"go": action}})
    assert found("documents", one, staging)[0] == ("missing", f"the SSM document {arn} does not exist")
    clients = {"ssm": stubbed("ssm", ("describe_document", {"Document": {"DocumentType": "Automation"}}))}
    assert found("documents", one, staging, clients)[0][0] == "there"


def test_the_local_region_says_what_it_performs_and_what_it_needs_not(env: Environment) -> None:
    """Roles and extensions belong to AWS; an action without an effect would end failed."""
    performed = wanted(*FAILOVER)
    assert found("role", performed, env)[0][0] == "needless"
    assert found("effect", performed, env)[0][0] == "there"
    pods = wanted("aws:eks:pod-delete", "aws:eks:pod")
    assert found("effect", pods, env) == [("missing", "the local region does not perform aws:eks:pod-delete")]
    assert found("targets", pods, env)[0][0] == "missing"
    function = wanted("aws:lambda:invocation-error", "aws:lambda:function")
    assert found("functions", function, env)[0][0] == "needless"


def test_the_lock_bucket_and_the_account_are_looked_at(env: Environment, staging: Environment) -> None:
    """Named and there; of the right account."""
    one = wanted(*FAILOVER)
    assert found("shared_lock", one, env)[0][0] == "there"
    for bucket in (None, "gameday-nowhere"):
        gone = replace(staging, aws=replace(staging.aws, lock_bucket=bucket))
        assert found("shared_lock", one, gone)[0][0] == "missing"
    assert found("account", one, env)[0][0] == "there"
    assert found("account", one, replace(env, aws=replace(env.aws, account="1" * 12)))[0][0] == "missing"


def test_an_environment_that_lacks_what_an_experiment_names_is_a_finding(staging: Environment) -> None:
    """And not the end of the examination."""
    bare = replace(staging, aws=replace(staging.aws, roles={}))
    findings = prerequisites.of(wanted(*FAILOVER), bare)
    assert [(each.kind, each.state) for each in findings] == [("environment", "missing")]
