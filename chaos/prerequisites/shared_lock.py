"""The bucket of the lock that runs share."""

from __future__ import annotations

from collections.abc import Iterator

from chaos.prerequisites import Asked, Finding


def check(asked: Asked) -> Iterator[Finding]:
    """It is named and there. Whether it may be written shows when a run takes its lock."""
    bucket = asked.env.aws.lock_bucket
    if bucket is None:
        yield asked.missing(
            f"{asked.env.path} names no aws.lock_bucket", "make an S3 bucket for locks and name it there"
        )
        return
    asked.client("s3").head_bucket(Bucket=bucket)
    yield asked.there(f"the lock bucket {bucket} is there")
