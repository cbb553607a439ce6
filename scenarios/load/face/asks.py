"""A request in full, put together from a client's arguments."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scenarios.load.face import bodies
from scenarios.load.http.head import Body


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Method, absolute URL, header fields and body."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: Body


def compose(
    method: str,
    url: str,
    *,
    always: Mapping[str, str],
    headers: Mapping[str, str] | None,
    auth: tuple[str | bytes, str | bytes] | None,
    params: Any,
    data: Any,
    json: Any,
    files: Any,
) -> Ask:
    """``always`` are header fields of every request; ``headers`` go before them."""
    body, kind = bodies.body(data, json, files)
    given = dict(headers or {})
    own = {name.lower() for name in given}
    fields = _without(always, own)
    if kind and "content-type" not in own:
        fields["Content-Type"] = kind
    if kind == "application/json" and "accept" not in own:
        fields["Accept"] = kind
    fields |= given
    if auth:
        fields["Authorization"] = bodies.basic(*auth)
    full = bodies.with_params(url, params) if params else url
    return Ask(method=method, url=full, headers=fields, body=body)


def _without(headers: Mapping[str, str], names: set[str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in names}
