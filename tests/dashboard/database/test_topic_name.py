import pytest

from dashboard.database.topic_name import topic_name


@pytest.mark.parametrize(
    ("topic", "name"),
    [("noun.substance", "substance (noun)"), ("adj.all", "all (adjective)"), ("capital", "capital"), ("", ""),
     ("noun.", "noun."), ("pronoun.substance", "pronoun.substance"), ("noun.a.b", "noun.a.b")],
)  # fmt: skip
def test_only_names_of_wordnet_s_files_are_put_into_words(topic: str, name: str) -> None:
    assert topic_name(topic) == name
