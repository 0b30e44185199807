"""Who is let in, asked over HTTP."""

import gzip
import http.client
import re
import socket
import urllib.request
from urllib.parse import urlsplit

import pytest

from autograder.course.errors import UsageError
from autograder.instructor.lone_pages import PAGES
from autograder.web.pages import ONNX
from autograder.web.server import FOREIGN_HOST, FOREIGN_ORIGIN, NO_TOKEN, POLICY, Serving
from tests.programs import PATIENCE

FOREIGN = [  # what a request of another site brings, and the answer
    ({"Origin": "http://example.org"}, FOREIGN_ORIGIN),
    ({"Origin": "null"}, FOREIGN_ORIGIN),
    ({"Sec_Fetch_Site": "cross-site"}, FOREIGN_ORIGIN),
    ({"Sec_Fetch_Site": "same-site"}, FOREIGN_ORIGIN),
    ({"Host": "example.org"}, FOREIGN_HOST),
]


def ask(address, path=None, method="GET", body=None, **headers):
    """Send one request with just these headers; return the status, the headers and the text."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=PATIENCE)
    connection.putrequest(method, parts._replace(scheme="", netloc="").geturl() if path is None else path, skip_host=True)
    for name, value in {"Host": parts.netloc, **{name.replace("_", "-"): value for name, value in headers.items()}}.items():
        connection.putheader(name, value)
    if body is not None:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    answer = connection.getresponse()
    found = answer.status, dict(answer.getheaders()), answer.read().decode()
    connection.close()
    return found


def test_the_address_that_was_given_opens_the_lesson(site):
    assert ask(site.address + "index.html")[0] == 200


@pytest.mark.parametrize("path", ["/", "/index.html", "/wrong-token/index.html", "/static/site.css", "/%00/index.html"])
def test_without_the_token_nothing_is_shown(site, path):
    assert ask(site.address, path)[::2] == (403, NO_TOKEN)


@pytest.mark.parametrize("host", ["example.org", "example.org:8012", "127.0.0.1", "127.0.0.1.example.org", ""])
def test_a_name_that_was_made_to_point_here_is_refused(site, host):
    """DNS rebinding: the address is right, the name is not ours."""
    assert ask(site.address + "index.html", Host=host)[::2] == (403, FOREIGN_HOST)


@pytest.mark.parametrize("origin", ["http://example.org", "null", "https://127.0.0.1", "http://127.0.0.1:1", ""])
def test_another_sites_page_is_refused_even_with_the_token(site, origin):
    assert ask(site.address + "read", method="POST", body=b'"guidance"', Origin=origin)[::2] == (403, FOREIGN_ORIGIN)
    assert list(site.session.state().events("read", "guidance")) == []


@pytest.mark.parametrize(("name", "path"), [("onnx/worker.js", ONNX / "worker.js"), ("report.css", PAGES / "report.css")])
def test_what_is_sent_packed_is_right_the_second_time_too(class_site, name, path):
    request = urllib.request.Request(class_site.address + name, headers={"Accept-Encoding": "gzip"})
    for _ in range(2):
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            assert gzip.decompress(answer.read()) == path.read_bytes()


def test_a_form_of_another_site_is_refused_by_what_the_browser_says_of_it(site):
    assert ask(site.address + "read", method="POST", body=b'"guidance"', Sec_Fetch_Site="cross-site")[::2] == (403, FOREIGN_ORIGIN)


@pytest.mark.parametrize("path", ["index.html", "static/site.js", "nowhere.html"])
def test_every_answer_forbids_scripts_and_styles_from_elsewhere(site, path):
    _, headers, _ = ask(site.address + path)
    assert headers["content-security-policy"] == POLICY
    assert "unsafe" not in POLICY
    assert headers["x-content-type-options"] == "nosniff"


def test_no_page_holds_a_script_or_a_style_of_its_own(site):
    for path in ("index.html", "lesson.html", "play.html", "practice.html", "question-fresh-step.html", "question-training-loop.html"):
        _, _, text = ask(site.address + path)
        assert " style=" not in text
        assert "<style" not in text
        assert "javascript:" not in text
        assert text.count("<script") == len(re.findall("<script [^>]*src=", text))


def test_files_outside_the_lesson_cannot_be_reached(site):
    for path in ("figures/../lesson.md", "static/../app.py", "figures/%2e%2e/%2e%2e/%2e%2e/solutions/12_diffusion/forward.py", "widgets//etc/passwd"):
        assert ask(site.address, urlsplit(site.address).path + path)[0] == 404


def test_a_form_that_is_too_large_is_not_read(site):
    status, _, text = ask(site.address + "question-fresh-step.html", method="POST", body=b"a" * 70_000)
    assert (status, "This form is too large." in text) == (413, True)


def test_a_reading_that_is_no_section_is_not_remembered(site):
    assert ask(site.address + "read", method="POST", body=b"[[[")[0] == 400
    assert ask(site.address + "read", method="POST", body=b'"<script>"')[0] == 204
    assert list(site.session.state().events("read", "<script>")) == []


def test_it_listens_on_the_loopback_only():
    serving = Serving(lambda *_: None)
    assert serving._socket.getsockname()[0] == "127.0.0.1"
    serving._socket.close()


def test_no_answer_waits_until_the_reader_has_said_that_its_head_came():
    """Without this, each of a connection but the first takes 40 ms more: heads and bodies are sent apart."""
    serving = Serving(lambda *_: None)
    with socket.create_connection(serving._socket.getsockname()), serving._socket.accept()[0] as accepted:
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    serving._socket.close()


def test_a_port_that_is_taken_is_said_so():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UsageError) as error:
            Serving(lambda *_: None, port)
    assert str(error.value) == f"port {port} is taken\n  fix: omit --port to use a free one"
