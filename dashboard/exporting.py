"""What is on the Explain screen as files: tables for other programs, and one page that opens without a network."""

import io
import json
import math

import pandas as pd

from dashboard.explanation import Explanation
from dashboard.selection import Selection, address


def table(found: Explanation, selection: Selection) -> pd.DataFrame:
    """One row per kept document of the chosen tokens, best first, with the columns of the page."""
    return pd.DataFrame(
        {
            "rank": range(1, len(found.ranked) + 1),
            "document_id": [each.document_id for each in found.ranked],
            "value": [each.value for each in found.ranked],
            "scale": selection.normaliser,
            "influence_nats": [each.score for each in found.ranked],
            "known_for_tokens": [each.known for each in found.ranked],
            "self_influence": [each.self_influence for each in found.ranked],
            "layer_scores": [each.layers.tolist() for each in found.ranked],
            "generation_id": found.generation.generation_id,
            "model": found.generation.model.name,
            "run_id": found.run.run_id if found.run else "",
            "first_token": found.span[0],
            "last_token": found.span[1],
        }
    )


def csv(found: Explanation, selection: Selection) -> bytes:
    """Text for spreadsheets; layer scores as JSON. A cell that begins like a formula gets a quote before it."""
    frame = table(found, selection)
    frame["layer_scores"] = [json.dumps(scores) for scores in frame["layer_scores"]]
    frame["model"] = [_no_formula(value) for value in frame["model"]]
    text: str = frame.to_csv(index=False)
    return text.encode()


def parquet(found: Explanation, selection: Selection) -> bytes:
    out = io.BytesIO()
    table(found, selection).to_parquet(out, index=False)
    return out.getvalue()


def as_json(found: Explanation, selection: Selection) -> bytes:
    """The question, the answer and the documents, with the address of the view."""
    made = {
        "address": address(selection),
        "model": found.generation.model.name,
        "run_id": found.run.run_id if found.run else "",
        "prompt": found.generation.prompt,
        "answer": found.generation.text,
        "tokens": [
            {"position": t.position, "text": t.text, "logp": t.logp if math.isfinite(t.logp) else None}
            for t in found.tokens
        ],
        "span": list(found.span),
        "scale": selection.normaliser,
        "layers": [group.key for group in found.groups],
        "documents": json.loads(table(found, selection).to_json(orient="records")),
    }
    return json.dumps(made, ensure_ascii=False, indent=1, allow_nan=False).encode()


def _no_formula(value: str) -> str:
    return f"'{value}" if value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
