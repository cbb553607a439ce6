import pytest

from slo import record
from tests.scenarios.face.commands import counts, locust, rows
from tests.scenarios.face.shop_server import shop


def test_locusts_own_users_are_recorded(tmp_path):
    """FastHttpUser, HttpUser and a script's own events are counted by class and marked closed."""
    with shop() as server:
        code, summary, said = locust(
            *("stock", "--headless", "-u", "3", "-r", "3", "-t", "2s", "-H", server.url),
            *("--exit-code-on-error", "0", "--gameday-run-folder", str(tmp_path)),
        )
        seen = sum(server.seen.values())
    assert code == 0, said
    for name, kind in {
        "GET /status/503": "http_5xx",
        "GET declined": "content",
        "GET refused": "connect",
    }.items():
        intended, sent, ok, bad = counts(summary, f"{name} [closed]")
        assert intended == sent == bad > 3
        assert ok == 0
        assert f"bad: {name} [closed]: {kind} {bad}" in summary
    for name in ("GET /fast", "GET /standard"):
        assert counts(summary, f"{name} [closed]")[2] > 3
    late = rows(summary)["OWN late [closed]"]
    assert [float(late[4]), float(late[9])] == pytest.approx([505, 5], rel=0.01)
    made = counts(summary, "all")[0] - counts(summary, "GET refused [closed]")[0] - int(late[0])
    assert made == pytest.approx(seen, abs=2)  # Locust kills two users in the middle of a request
    (folder,) = tmp_path.iterdir()
    assert record.read(folder).manifest.load["model"] == "users"
