"""TLS: verified unless told otherwise by an unmistakable name, and every way it goes wrong is told."""

import datetime
import ipaddress
import ssl
from contextlib import ExitStack

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.scenarios.http.hostile import OK, ask, close, first, scripted, then

HEAD = b"HTTP/1.1 200 OK\r\n"
DAY = datetime.timedelta(days=1)
NOW = datetime.datetime.now(datetime.UTC)


def certificate(path, *names, expired=False):
    """A self-signed certificate for these names, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    alternatives = [
        x509.IPAddress(ipaddress.ip_address(each)) if each[0].isdigit() else x509.DNSName(each)
        for each in names
    ]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(NOW - 9 * DAY)
        .not_valid_after(NOW - 2 * DAY if expired else NOW + DAY)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return path


def serving(path, *protocols):
    """A server's context."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """All cases at once: results, log and what the servers saw."""
    folder = tmp_path_factory.mktemp("tls")

    def hang_up(visit):
        visit.connection.recv(1000)
        visit.connection.close()

    hang_up.unasked = True
    all_of_it = then(HEAD + b"\r\nall of it", lambda visit: visit.connection.unwrap())
    good = certificate(folder / "good.pem", "127.0.0.1", "localhost")
    other = certificate(folder / "other.pem", "other.test")
    expired = certificate(folder / "expired.pem", "127.0.0.1", expired=True)
    seen = []

    def note(visit):
        seen.append(visit.connection.selected_alpn_protocol())

    trusting = {"tls": {"ca_file": str(good)}}
    cases = {
        "trusted": (good, [[then(note, OK), OK]], trusting, [{}, {}]),
        "large": (good, [[OK, OK]], trusting, [{"method": "POST", "body": "x" * 3_000_000}, {}]),
        "until the end": (good, [[all_of_it]], trusting, [{}]),
        "cut off": (good, [[then(HEAD + b"\r\nhalf of it", close)]], trusting, [{}]),
        "closed at rest": (good, [[OK], [OK]], trusting, [{}, {"pause": 0.2}]),
        "streamed": (good, [[OK, OK]], trusting, [{"stream": True}, {}]),
        "unknown": (good, [[OK]], {}, [{}]),
        "another's": (other, [[OK]], {"tls": {"ca_file": str(other)}}, [{}]),
        "another's, wanted": (
            other,
            [[OK]],
            {"tls": {"ca_file": str(other), "server_name": "other.test"}},
            [{}],
        ),
        "expired": (expired, [[OK]], {"tls": {"ca_file": str(expired)}}, [{}]),
        "unverified": (other, [[OK]], {"tls": {"insecure_skip_verification": True}}, [{}]),
        "plain": (None, [[first(b"HTTP/1.1 400 Bad Request\r\n\r\n")]], trusting, [{}]),
        "hung up": (None, [[hang_up]], trusting, [{}]),
    }
    with ExitStack() as servers:
        asked, logs = {}, {}
        for name, (path, scripts, session, requests) in cases.items():
            context = serving(path, "http/1.1", "h2") if path else None
            port, logs[name] = servers.enter_context(scripted(*scripts, context=context))
            url = {"url": f"https://127.0.0.1:{port}/x"}
            asked[name] = {"session": session, "requests": [url | request for request in requests]}
        results = ask(asked)
        return {name: (each["results"], logs[name]) for name, each in results.items()}, seen


def test_a_trusted_server_is_spoken_to(found):
    """HTTP/1.1 is agreed on, and the connection is kept."""
    results, log = found[0]["trusted"]
    assert [each["status"] for each in results] == [200, 200]
    assert len(log) == 2
    assert found[1] == ["http/1.1"]


def test_large_bodies_go_through(found):
    """Three megabytes, encrypted, wait for the server to read them."""
    results, log = found[0]["large"]
    assert [each["status"] for each in results] == [200, 200]
    assert len(log[0]) > 3_000_000


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("unknown", "certificate verify failed"),
        ("another's", "certificate is not valid for"),
        ("expired", "certificate has expired"),
        ("plain", "SSL"),
        ("hung up", "EOF"),
    ],
)
def test_a_doubtful_server_gets_no_request(found, name, says):
    """Nothing is sent to a server that cannot prove who it is: no connection."""
    (result,), log = found[0][name]
    assert result["kind"] == "connect", result
    assert says in result["says"]
    assert not any("GET" in each for each in log)


@pytest.mark.parametrize("name", ["another's, wanted", "unverified", "streamed"])
def test_what_was_allowed_works(found, name):
    """Another name, or no verification at all, when that is said; answers can be streamed."""
    assert found[0][name][0][0]["status"] == 200


def test_the_end_must_be_said(found):
    """A body that ends with the connection needs TLS's own end: anybody could have cut it."""
    assert found[0]["until the end"][0][0]["body"] == "all of it"
    assert found[0]["cut off"][0][0]["kind"] == "reset"


def test_a_closing_at_rest_is_noticed(found):
    """The next request opens a new connection."""
    results, log = found[0]["closed at rest"]
    assert [each["status"] for each in results] == [200, 200]
    assert len(log) == 2
