"""What a browser reports of the page before must not be chosen again on the page that came after it."""

from dashboard.address import bar
from dashboard.address.selection import Selection


def test_a_callback_of_another_answer_is_ignored(monkeypatch) -> None:
    held = {"now": Selection(generation="a")}
    heard = []
    monkeypatch.setattr(bar, "selection", lambda: held["now"])
    callback = bar.still(heard.append)
    callback("while it is shown")
    held["now"] = Selection(generation="a", span=(1, 2), document="d")
    callback("another token of it")
    held["now"] = Selection(job="asked")
    callback("a new prompt came")
    assert heard == ["while it is shown", "another token of it"]
