"""What a run of AppTest drew with our components: AppTest knows no component of ours, its messages do."""

import json
from typing import Any

from streamlit.testing.v1 import AppTest


def components(app: AppTest, name: str) -> list[dict[str, Any]]:
    """The data of every mounted component of that name, in the order of the page."""
    found = []
    for node in _nodes(app._tree):
        proto = getattr(node, "proto", None)
        component = getattr(proto, "bidi_component", proto)
        if getattr(component, "component_name", "") == f"whence.{name}":
            found.append(json.loads(component.json or "{}"))
    return found


def words(app: AppTest) -> str:
    """Everything that the prose components say: their paragraphs, joined by a blank."""
    blocks = [block for data in components(app, "prose") for block in data["blocks"]]
    return " ".join("".join(text for text, _ in block["pieces"]) for block in blocks)


def _nodes(block: Any) -> list[Any]:
    children = getattr(block, "children", None)
    if not children:
        return [block]
    return [node for child in children.values() for node in _nodes(child)]
