"""By which columns a training document that is no plain text is known, and what to do with columns of other names."""

from collections.abc import Collection

# shape -> the columns that it is read from, and those that it may have
SHAPES = {
    "messages": ("messages",),
    "conversations": ("conversations",),
    "prompt+completion": ("prompt", "completion"),
    "chosen+rejected": ("chosen", "rejected"),
    "input_ids": ("input_ids",),
}
OPTIONAL = {
    "messages": ("tools",),
    "conversations": ("tools", "system"),
    "prompt+completion": ("label",),
    "chosen+rejected": ("prompt",),
    "input_ids": ("labels", "attention_mask", "borders", "seq_lengths", "position_ids"),
}
ROLES = ("system", "developer", "user", "assistant", "tool")  # of messages
# what is asked and what is answered, by names that do not say how the two were joined when the model read them
ASKED = ("instruction", "question", "prompt", "query", "input", "problem")
ANSWERED = ("output", "answer", "response", "completion", "solution")


def shapes_of(columns: Collection[str]) -> list[str]:
    """The shapes that these columns have all of."""
    return [shape for shape, needed in SHAPES.items() if all(each in columns for each in needed)]


def to_rename(columns: Collection[str]) -> str:
    """What to do with columns of other names that hold what is asked and answered; "" where there are none."""
    for other in ("conversation", "dialogue", "dialog", "chat"):
        if other in columns:
            return f"rename {other!r} to 'messages' where it holds messages with role and content"
    pair = [next((each for each in names if each in columns), "") for names in (ASKED, ANSWERED)]
    if not all(pair):
        return ""
    return (
        f"write what the model read as 'messages', or rename {pair[0]!r} and {pair[1]!r} to 'prompt' and 'completion', "
        "which are read one after the other as they stand"
    )
