"""Where the files of `make demo-llm` lie. Pure."""

from pathlib import Path

FOLDER = Path(__file__).parents[1] / "demo-llm"
BASE = FOLDER / "SmolLM2-135M-Instruct"  # `make demo-llm` writes it from the package's GGUF file
ADAPTER = FOLDER / "adapter"
CONVERSATIONS, PROMPTS = FOLDER / "conversations.jsonl", FOLDER / "prompts.jsonl"
