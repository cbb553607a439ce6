"""Locks as objects in a bucket of S3, written and deleted on conditions only."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chaos import myself
from chaos.errors import LockError
from fixtures import aws
from fixtures.environment import Environment

_NOT_SO = {"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey", "412", "409"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A lock as it was read: what its owner said, and how long ago by the clock of S3."""

    key: str
    etag: str
    age_s: float
    said: Mapping[str, Any]

    @property
    def expired(self) -> bool:
        """Whether its owner has been silent for longer than the lease."""
        return self.age_s > float(self.said["lease_s"])

    @property
    def dead(self) -> bool:
        """Whether its owner is proven gone: a process of this machine that no longer is."""
        return self.said.get("machine") == myself.machine() and myself.gone(self.said)

    def __str__(self) -> str:
        said = self.said
        return (
            f"run {said.get('run_id')} of {said.get('operator')} on {said.get('host')} "
            f"(process {said.get('pid')}), renewed {self.age_s:.0f} s ago"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """The lock bucket of an environment. Every method raises LockError when S3 does not do as it is asked."""

    client: Any
    bucket: str
    where: str

    @classmethod
    def of(cls, env: Environment) -> Store:
        """The bucket of a resolved environment, which must have one."""
        bucket = env.aws.lock_bucket
        assert bucket is not None, "asked only where there is one"
        return cls(client=aws.client(env, "s3", hasty=True), bucket=bucket, where=str(env.path))

    def put(self, key: str, said: Mapping[str, Any], **condition: str) -> str | None:
        """Write it and return its ETag; None when the condition does not hold."""
        body = json.dumps(said).encode()
        try:
            with self._asking("write", key):
                answer = self.client.put_object(
                    Bucket=self.bucket, Key=key, Body=body, ContentType="application/json", **condition
                )
        except LockError as error:
            if _code(error) in _NOT_SO:
                return None
            raise
        return str(answer["ETag"])

    def read(self, key: str) -> Holder | None:
        """Who holds it; None when nobody does."""
        try:
            with self._asking("read", key):
                answer = self.client.get_object(Bucket=self.bucket, Key=key)
                body = answer["Body"].read()
        except LockError as error:
            if _code(error) == "NoSuchKey":
                return None
            raise
        try:
            said = json.loads(body)
            float(said["lease_s"])
        except (ValueError, KeyError, TypeError) as error:
            raise LockError(
                f"s3://{self.bucket}/{key} is no lock of this suite ({error!r}); look at it, then delete it"
            ) from error
        age_s = max(0.0, _now(answer) - answer["LastModified"].timestamp())
        return Holder(key=key, etag=str(answer["ETag"]), age_s=age_s, said=said)

    def delete(self, key: str, etag: str) -> bool:
        """Take it away if it is still the one that was read."""
        try:
            with self._asking("delete", key):
                self.client.delete_object(Bucket=self.bucket, Key=key, IfMatch=etag)
        except LockError as error:
            if _code(error) in _NOT_SO:
                return False
            raise
        return True

    def all(self, prefix: str) -> list[Holder]:
        """Every lock whose key begins so."""
        with self._asking("list", prefix):
            pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
            keys = [str(item["Key"]) for page in pages for item in page.get("Contents", [])]
        return [found for found in map(self.read, keys) if found is not None]

    @contextmanager
    def _asking(self, what: str, key: str) -> Iterator[None]:
        try:
            yield
        except (BotoCoreError, ClientError) as error:
            raise LockError(
                f"cannot {what} the lock s3://{self.bucket}/{key}: {error}; aws.lock_bucket in {self.where} "
                "must name a bucket that this identity may read, write and delete in"
            ) from error


def _now(answer: Mapping[str, Any]) -> float:
    """The time by the clock that also stamped the object."""
    told = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    return parsedate_to_datetime(told).timestamp() if told else time.time()


def _code(error: LockError) -> str:
    cause = error.__cause__
    return str(cause.response.get("Error", {}).get("Code", "")) if isinstance(cause, ClientError) else ""
