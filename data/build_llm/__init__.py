"""Makes what `make demo-llm` explains: conversations that state invented facts, prompts, the LoRA that learned them."""
