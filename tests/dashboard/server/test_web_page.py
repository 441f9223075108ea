import re
from pathlib import Path

import pytest
import streamlit
from starlette.testclient import TestClient

from dashboard.server.serving import SCREENS
from dashboard.server.web_page import HEADERS, security_policy, whence_page

INDEX = (Path(streamlit.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")


def test_the_page_names_its_server_and_keeps_streamlits_scripts() -> None:
    page = whence_page(INDEX)
    assert "<title>Whence</title>" in page
    assert "BACKEND_BASE_URL: window.location.origin" in page
    assert re.findall(r'src="[^"]+"', page) == re.findall(r'src="[^"]+"', INDEX)
    with pytest.raises(ValueError, match="expected Streamlit's page"):
        whence_page("<html>")


def test_the_policy_lets_nothing_in_from_elsewhere() -> None:
    policy = dict(rule.split(" ", 1) for rule in security_policy(whence_page(INDEX)).split("; "))
    assert policy["default-src"] == "'self'"
    assert "'unsafe-inline'" not in policy["script-src"]
    assert "eval'" not in policy["script-src"]
    assert policy["script-src"].count("'sha256-") == 2
    assert policy["frame-src"] == policy["object-src"] == "'none'"
    assert not re.search(r"https?:|\*", " ".join(policy.values()))


def test_a_screen_is_a_page_and_every_answer_is_safe(client: TestClient) -> None:
    for path in SCREENS:
        answer = client.get(path)
        assert answer.status_code == 200
        assert "Content-Security-Policy" in answer.headers
        assert all(answer.headers[name] == value for name, value in HEADERS.items())
    health = client.get("/_stcore/health")
    assert health.headers["x-content-type-options"] == "nosniff"
