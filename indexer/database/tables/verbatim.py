"""Tables of what an answer says word for word as a training text does."""

TABLES: dict[str, str] = {
    # the longest spans of an answer's tokens that stand in the training texts: no longer one around them does.
    # first, last: tokens, both included; n_places: how often; n_documents: in how many documents
    "verbatim": """
        generation_id VARCHAR, first INTEGER, last INTEGER, n_places INTEGER, n_documents INTEGER""",
    # some of the places: a token of document_token, where the span begins
    "verbatim_place": """
        generation_id VARCHAR, first INTEGER, document_id VARCHAR, token_position INTEGER""",
}

KEYS: dict[str, tuple[str, ...]] = {
    "verbatim": ("generation_id", "first"),
    "verbatim_place": ("generation_id", "first", "document_id", "token_position"),
}

ORDER: dict[str, tuple[str, ...]] = {
    "verbatim": ("generation_id", "first"),
    "verbatim_place": ("generation_id", "first", "document_id", "token_position"),
}

REFERENCES: tuple[tuple[str, str, str, str], ...] = (
    ("verbatim", "generation_id", "generation", "generation_id"),
    ("verbatim_place", "generation_id", "generation", "generation_id"),
    ("verbatim_place", "document_id", "document", "document_id"),
)
