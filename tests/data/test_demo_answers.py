"""What the demo's smallest model writes can be given back to it as an answer from elsewhere."""

from pathlib import Path

from attribution.loading.load import load_model
from attribution.prompt.text.pasted import pasted_answer
from indexer.config.config import read_config
from indexer.corpus.prompt_file import read_prompts
from indexer.size.answers import answer

CONFIG = read_config(Path(__file__).parents[2] / "data" / "demo" / "demo.toml")


def test_input_09_every_answer_of_the_demo_can_be_pasted_back():
    loaded = load_model(CONFIG.model[0].path, device="cpu")
    for prompt in read_prompts(CONFIG.prompts.file)[::3]:
        made = answer(loaded, prompt, 12).generation
        ids, notices = pasted_answer(prompt.text, made.text, loaded.tokenizer, 99, loaded.specials.stops)
        assert loaded.tokenizer.decode(list(ids)) == made.text and not notices
