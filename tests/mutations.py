"""Bytes that are nearly right: what is left of a good file after an accident, or after somebody's edit."""

from hypothesis import strategies as st

_EDITS = st.tuples(
    st.sampled_from(["flip", "cut", "insert", "drop", "repeat", "zero"]), st.floats(0, 1), st.binary(max_size=8)
)


def mutated(good: bytes, most: int = 4) -> st.SearchStrategy[bytes]:
    """`good` after one to `most` edits, each at any place."""
    return st.lists(_EDITS, min_size=1, max_size=most).map(lambda edits: _edited(good, edits))


def _edited(content: bytes, edits: list[tuple[str, float, bytes]]) -> bytes:
    for how, where, extra in edits:
        at = int(where * max(len(content) - 1, 0))
        before, after = content[:at], content[at:]
        if how == "flip" and after:
            content = before + bytes([after[0] ^ (extra[0] if extra and extra[0] else 1)]) + after[1:]
        elif how == "cut":
            content = before
        elif how == "insert":
            content = before + extra + after
        elif how == "drop":
            content = before + after[len(extra) :]
        elif how == "repeat":
            content = before + after[:64] + after
        else:
            content = before + bytes(min(len(after), 64)) + after[64:]
    return content
