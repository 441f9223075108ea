"""The name of a topic as a reader would say it. Pure."""

import re

KINDS = {"noun": "noun", "verb": "verb", "adj": "adjective", "adv": "adverb"}
_LEXICOGRAPHER = re.compile(rf"({'|'.join(KINDS)})\.([a-z]+)")


def topic_name(topic: str) -> str:
    """WordNet names its topics by the files of its lexicographers: noun.substance -> substance (noun). Any other name
    stays as it is."""
    found = _LEXICOGRAPHER.fullmatch(topic)
    return f"{found[2]} ({KINDS[found[1]]})" if found else topic
