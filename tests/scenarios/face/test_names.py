import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.errors import UnboundedNamesError
from scenarios.load.face.names import Names, slug
from scenarios.load.face.options import asked_system
from scenarios.load.operation import operation


def test_names_are_found_once():
    """A new name is reported; known and repeated ones are not."""
    found = []
    names = Names(found=found.append, most=10)
    names.know([operation("item", "GET /items/{id}")])
    assert names.operation("GET", "/items/{id}").slug == "item"
    assert names.operation("GET", "/a") is names.operation("GET", "/a")
    assert [each.name for each in found] == ["GET /a"]


def test_one_name_too_many():
    """The error names the request and shows how to name it."""
    names = Names(found=lambda _: None, most=2)
    names.operation("GET", "/1")
    names.operation("GET", "/2")
    with pytest.raises(UnboundedNamesError, match=r"GET /3 would be operation 3 .* name="):
        names.operation("GET", "/3")
    assert names.operation("GET", "/1").path == "/1"


@pytest.mark.parametrize(
    ("method", "name", "expected"), [("GET", "/", "get"), ("POST", "/api/items", "post_api_items")]
)
def test_plain_names_make_plain_slugs(method, name, expected):
    """What can be read back needs no hash."""
    assert slug(method, name) == expected


@given(st.lists(st.tuples(st.sampled_from(["GET", "POST"]), st.text(max_size=80)), unique=True, max_size=20))
def test_slugs_tell_names_apart(asked):
    """Different names have different slugs, fit for every file of a run."""
    slugs = {slug(method, name) for method, name in asked}
    assert len(slugs) == len(asked)
    assert all(each and set(each) <= set("abcdefghijklmnopqrstuvwxyz0123456789_") for each in slugs)


def test_the_system_asked_for(monkeypatch):
    """The option goes before the environment, the environment before the default; others are ignored."""
    assert asked_system("lexohub", ["-f", "x.py", "--headless"]) == "lexohub"
    monkeypatch.setenv("GAMEDAY_SYSTEM", "writlix")
    assert asked_system("lexohub", ["-u", "5"]) == "writlix"
    assert asked_system("lexohub", ["--gameday-system", "codexflow", "-u", "5"]) == "codexflow"
