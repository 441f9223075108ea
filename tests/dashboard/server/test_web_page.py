import re
from pathlib import Path

import pytest
import streamlit

from dashboard.server.web_page import security_policy, whence_page

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
