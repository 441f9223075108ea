from docs.generate.api import pages, room

SOURCE = '''"""What the module is."""


def shown(a: int, *rest: str, b: float = 1.0) -> list[int]:
    """What it does.    a: [T]"""


def long(first_of_them: dict[str, int], second: str = "two", *, third: float, fourth: int = 4, **others: int) -> None:
    pass


def _hidden() -> None:
    """Nobody reads this."""


class Thing(Base):
    """A thing."""

    size: int  # of it
    _own: int = 0

    def method(self) -> str:
        """What a method does."""

    def silent(self) -> None: ...
'''


def test_modules_lie_in_the_page_of_their_room():
    assert room("attribution.prompt.saliency.saliency") == "attribution-prompt"
    assert room("attribution.influence") == room("attribution") == "attribution"
    assert room("whence.database.answers") == room("whence") == "whence"


def test_public_names_with_their_signature_and_what_they_say():
    page = pages({"attribution.exact.one": SOURCE})["attribution-exact"]
    assert "## attribution.exact.one\n\nWhat the module is.\n" in page
    assert "shown(a: int, *rest: str, b: float=1.0) -> list[int]\n" in page
    assert "What it does.    a: [T]" in page
    assert "    first_of_them: dict[str, int],\n    second: str = 'two',\n    *,\n    third: float,\n" in page
    assert "    fourth: int = 4,\n    **others: int,\n) -> None\n" in page
    assert "class Thing(Base)\n    size: int\n" in page
    assert "#### method\n" in page
    assert not {"_hidden", "silent", "_own"} & set(page.split())


def test_a_package_that_is_not_there_has_a_page_all_the_same():
    assert pages({})["whence"] == "# whence: a database from Python\n\nNothing is here in this version.\n"
