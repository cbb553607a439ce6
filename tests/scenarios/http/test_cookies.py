"""Cookies go where RFC 6265 sends them; forms are what browsers send."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.load.http import multipart
from scenarios.load.http.cookies import MOST, Jar

NOW = 1_800_000_000.0


def header(line, host="shop.example.com", path="/a/b", *, set_by="shop.example.com", secure=False, at=NOW):
    """What is sent to there after one Set-Cookie line at NOW."""
    jar = Jar()
    jar.store(line, host=set_by, path="/a/set", now=NOW)
    return jar.header(host, path, secure=secure, now=at)


@pytest.mark.parametrize(
    ("line", "where", "sent"),
    [
        ("n=v", {}, "n=v"),
        (' n = "v w" ', {}, 'n="v w"'),
        ("n=", {}, "n="),
        ("n", {}, ""),
        ("=v", {}, ""),
        # domain
        ("n=v", {"host": "www.shop.example.com"}, ""),
        ("n=v; Domain=shop.example.com", {"host": "www.shop.example.com"}, "n=v"),
        ("n=v; Domain=.Example.COM", {"host": "other.example.com"}, "n=v"),
        ("n=v; Domain=example.com", {"host": "badexample.com"}, ""),
        ("n=v; Domain=other.com", {}, ""),
        ("n=v; Domain=com", {}, ""),
        ("n=v; Domain=www.shop.example.com", {"host": "www.shop.example.com"}, ""),
        ("n=v; Domain=0.0.1", {"set_by": "127.0.0.1", "host": "127.0.0.1"}, ""),
        ("n=v; Domain=127.0.0.1", {"set_by": "127.0.0.1", "host": "127.0.0.1"}, "n=v"),
        # path: the default is the folder of the request that set it
        ("n=v", {"path": "/a"}, "n=v"),
        ("n=v", {"path": "/ab"}, ""),
        ("n=v", {"path": "/"}, ""),
        ("n=v; Path=/", {"path": "/"}, "n=v"),
        ("n=v; Path=/a/", {"path": "/a/x"}, "n=v"),
        ("n=v; Path=/a/", {"path": "/a"}, ""),
        ("n=v; Path=relative", {"path": "/a/x"}, "n=v"),
        # secure and expiry
        ("n=v; Secure", {}, ""),
        ("n=v; secure; HttpOnly; SameSite=Lax", {"secure": True}, "n=v"),
        ("n=v; Max-Age=10", {"at": NOW + 9}, "n=v"),
        ("n=v; Max-Age=10", {"at": NOW + 11}, ""),
        ("n=v; Max-Age=0", {}, ""),
        ("n=v; Max-Age=-5", {}, ""),
        ("n=v; Max-Age=soon", {}, "n=v"),
        ("n=v; Expires=Fri, 15 Jan 2027 08:00:10 GMT", {"at": NOW + 9}, "n=v"),
        ("n=v; Expires=Fri, 15-Jan-2027 08:00:10 GMT", {"at": NOW + 11}, ""),
        ("n=v; Expires=Fri, 15 Jan 2027 08:00:10 GMT; Max-Age=60", {"at": NOW + 11}, "n=v"),
        ("n=v; Expires=nonsense", {}, "n=v"),
    ],
)
def test_a_cookie_goes_where_it_belongs(line, where, sent):
    """Domain, path, secure and expiry decide."""
    assert header(line, **where) == sent


def test_a_cookie_is_replaced_and_taken_back():
    """Same name, domain and path: the last one counts; longest paths come first."""
    jar = Jar()
    for line in ("n=1; Path=/", "n=2; Path=/", "m=3; Path=/a", "o=4; Path=/", "o=4; Path=/; Max-Age=0"):
        jar.store(line, host="h", path="/", now=NOW)
    assert jar.header("h", "/a", secure=False, now=NOW) == "m=3; n=2"
    assert jar.values("h") == {"n": "2", "m": "3"}
    jar.clear()
    assert len(jar) == 0


def test_a_jar_is_bounded():
    """The oldest cookies go first."""
    jar = Jar()
    for number in range(MOST + 5):
        jar.store(f"n{number}=v", host="h", path="/", now=NOW)
    assert len(jar) == MOST
    assert "n4" not in jar.values("h")
    assert "n5" in jar.values("h")


def test_cookies_can_be_set_by_hand():
    """For one host; what would break the header is refused."""
    jar = Jar()
    jar.set("n", "v", host="h")
    assert jar.header("h", "/x", secure=False) == "n=v"
    with pytest.raises(ValueError, match="cannot be a cookie"):
        jar.set("n", "v\r\nX: y", host="h")


@given(st.text(max_size=60), st.text(max_size=20))
def test_any_line_is_survived(line, path):
    """Garbage is ignored, and never more than one cookie is made of a line."""
    jar = Jar()
    jar.store(line, host="h", path=path, now=NOW)
    assert len(jar) <= 1


def test_forms_have_fields_and_files(tmp_path):
    """Repeated fields, files by content, name and type, and files from disk with their length known."""
    path = tmp_path / "big.bin"
    path.write_bytes(b"0123456789" * 20_000)
    parts = multipart.parts(
        {"a": "1", "b": ["2", "3"]},
        {
            "plain": b"x",
            "named": ("n.txt", b"y"),
            "typed": ("t.json", b"{}", "application/json"),
            "disk": path,
        },
    )
    content_type, upload = multipart.stream(parts, boundary="BB")
    whole = b"".join(upload.chunks())
    assert content_type == "multipart/form-data; boundary=BB"
    assert len(whole) == upload.length
    assert whole.count(b"--BB\r\n") == 7
    assert whole.endswith(b"\r\n--BB--\r\n")
    assert b'name="disk"; filename="big.bin"\r\nContent-Type: application/octet-stream\r\n\r\n0123' in whole
    assert b'name="typed"; filename="t.json"\r\nContent-Type: application/json\r\n\r\n{}\r\n' in whole
    assert multipart.encode(parts, boundary="BB") == (content_type, whole)


def test_names_cannot_break_out_of_a_form():
    """Quotes and line breaks are encoded as browsers do, a content type with them is refused."""
    _, body = multipart.encode([multipart.Part(name='a"\r\nX: y', content=b"", filename='f"')])
    assert b'name="a%22%0D%0AX: y"; filename="f%22"' in body
    with pytest.raises(ValueError, match="line break in the content type"):
        multipart.encode([multipart.Part(name="a", content=b"", filename="f", content_type="a/b\r\nX: y")])
