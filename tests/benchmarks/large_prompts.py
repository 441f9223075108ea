"""EDGE: drawn rows about the prompts of the large database: their tokens and parts, saliency, citations, ablations.

One prompt in ten brings two documents; its answers have citations and the versions with documents left out.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from indexer.database.shard import write_shard

N_TOKENS, EVERY, N_VERSIONS = 24, 10, 32
METHODS = ("grad_x_input", "grad_norm")


def with_documents(i: int) -> bool:
    return i % EVERY == 0


def write_prompt_parts(tokenizer: str, ids: Sequence[str], folder: Path) -> None:
    """Tokens of five characters; a question, and two documents where the prompt brings some."""
    n = len(ids)
    parts = [(prompt, part) for i, prompt in enumerate(ids) for part in range(3 if with_documents(i) else 1)]
    numbers = np.array([part for _, part in parts])
    write_shard(
        folder,
        "prompt_part",
        {
            "prompt_id": [prompt for prompt, _ in parts],
            "part": numbers,
            "kind": ["document" if part else "question" for _, part in parts],
            "title": [f"document {part}" if part else "" for _, part in parts],
            "start": numbers * 40,
            "stop": numbers * 40 + 40,
            "owner": [-1] * len(parts),
        },
    )
    positions = np.tile(np.arange(N_TOKENS), n)
    write_shard(
        folder,
        "prompt_token",
        {
            "tokenizer_id": [tokenizer] * len(positions),
            "prompt_id": np.repeat(list(ids), N_TOKENS),
            "token_position": positions,
            "token_id": positions,
            "text": [f"tok{i:02}" for i in positions],
            "start": positions * 5,
            "stop": positions * 5 + 5,
            "part": positions * 5 // 40,
        },
    )


def write_attributions(generations: Sequence[str], first: int, n_positions: int, rng: Any, folder: Path) -> None:
    """`first`: number of the prompt of the first generation."""
    per_answer = n_positions * len(METHODS) * N_TOKENS
    write_shard(
        folder,
        "saliency",
        {
            "generation_id": np.repeat(list(generations), per_answer),
            "position": np.tile(np.repeat(np.arange(n_positions), len(METHODS) * N_TOKENS), len(generations)),
            "method": np.tile(np.repeat(METHODS, N_TOKENS), len(generations) * n_positions),
            "source_position": np.tile(np.arange(N_TOKENS), len(generations) * n_positions * len(METHODS)),
            "score": rng.normal(size=len(generations) * per_answer).astype(np.float32),
        },
    )
    cited = [generation for i, generation in enumerate(generations, first) if with_documents(i)]
    if not cited:
        return
    write_shard(
        folder,
        "citation",
        {
            "generation_id": np.repeat(cited, 2),
            "sentence": [0] * (2 * len(cited)),
            "part": np.tile([1, 2], len(cited)),
            "method": ["contextcite"] * (2 * len(cited)),
            "score": rng.normal(size=2 * len(cited)),
        },
    )
    write_shard(
        folder,
        "ablation",
        {
            "generation_id": np.repeat(cited, N_VERSIONS),
            "design": ["half"] * (N_VERSIONS * len(cited)),
            "number": np.tile(np.arange(N_VERSIONS), len(cited)),
            "present": (rng.random((N_VERSIONS * len(cited), 2)) < 0.5).tolist(),
            "log_odds": rng.normal(size=(N_VERSIONS * len(cited), n_positions)).tolist(),
        },
    )
