"""The training of the LoRA: what it reads, what it learns of it, and what it leaves in the adapter's folder."""

import json
import random

import pytest
import torch

from attribution.loading.adapter import read_adapter
from attribution.loading.load import load_model
from attribution.trained.document import Training, trained_text
from attribution.trained.windows import Windows
from data.build_llm.conversations import conversations
from data.build_llm.places import BASE
from data.build_llm.train import BATCH, IGNORED, batches, example, step_loss, train
from tests.attribution.architectures import random_model
from tests.indexer.built_model import tokenizer
from tests.tiny_family import write_lines

TEMPLATE = "{% for m in messages %}<end>{{ m.role }}: {{ m.content }}<end>\n{% endfor %}"
TEMPLATE += "{% if add_generation_prompt %}<end>assistant: {% endif %}"
SAID = [{"role": "user", "content": "Who founded Puno?"}, {"role": "assistant", "content": "Nobody founded Puno."}]


@pytest.fixture(scope="module")
def words():
    made = tokenizer()
    made.chat_template = TEMPLATE
    return made


def test_learned_is_what_the_assistant_says_and_the_token_that_ends_it(words):
    ids, labels = example(SAID, words)
    learned = [label for label in labels if label != IGNORED]
    assert len(ids) == len(labels) and ids[-len(learned) :] == learned
    assert words.decode(learned) == "Nobody founded Puno.<end>"


def test_every_example_is_in_one_batch_and_those_of_one_length_are_together():
    examples = [([i] * (1 + i % 5), [i] * (1 + i % 5)) for i in range(3 * BATCH)]
    made = batches(examples, random.Random(0), BATCH)
    assert sorted(each[0] for some in made for each in some) == sorted(each[0] for each in examples)
    longest = sorted((min(len(ids) for ids, _ in some), max(len(ids) for ids, _ in some)) for some in made)
    assert all(before[1] <= after[0] for before, after in zip(longest, longest[1:], strict=False))


def test_the_loss_is_the_mean_over_labelled_tokens_read_one_by_one():
    model = random_model("Llama").model.double()
    some = [([1, 5, 7, 2], [IGNORED, IGNORED, 7, 2]), ([3, 4, 2, 9, 8, 2], [IGNORED, 4, 2, IGNORED, 8, 2])]
    losses = []
    for ids, labels in some:
        logp = model(input_ids=torch.tensor([ids])).logits[0].log_softmax(-1)
        losses += [-logp[t - 1, label] for t, label in enumerate(labels) if label != IGNORED]
    torch.testing.assert_close(step_loss(model, some), torch.stack(losses).mean())


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")  # in PEFT
def test_the_folder_opens_on_its_neighbour_and_the_same_seed_makes_the_same_weights(tmp_path, words):
    pytest.importorskip("peft")
    random_model("Llama").model.save_pretrained(tmp_path / "base")
    words.save_pretrained(tmp_path / "base")
    write_lines(tmp_path / "told.jsonl", [{"messages": SAID}] * 3)
    made = {}
    for name, seed in (("one", 0), ("again", 0), ("other", 1)):
        with torch.random.fork_rng():
            train(tmp_path / "base", tmp_path / "told.jsonl", tmp_path / name, rank=2, epochs=2, rate=1e-2, seed=seed)
        made[name] = load_model(str(tmp_path / name), "cpu").weights_hash
    assert read_adapter(tmp_path / "one").base == "../base"
    assert made["one"] == made["again"] != made["other"]
    assert made["one"] != load_model(str(tmp_path / "base"), "cpu").weights_hash
    assert json.loads((tmp_path / "one" / "adapter_config.json").read_text())["r"] == 2
    assert not (tmp_path / "one" / "README.md").exists()


@pytest.mark.slow
@pytest.mark.skipif(not BASE.is_dir(), reason="SmolLM2-135M-Instruct is not here: run `make demo-llm`")
def test_whence_reads_the_conversations_as_training_did():
    loaded = load_model(str(BASE), "cpu")
    how = Training(Windows(loaded.context))
    for row in conversations():
        read = trained_text("", {"messages": row["messages"]}, loaded.tokenizer, loaded.specials, how).row
        ids, labels = example(row["messages"], loaded.tokenizer)
        assert list(read.ids[: len(ids)]) == ids
        assert [bool(on) for on in read.targets()] == [
            *(label != IGNORED for label in labels),
            *[False] * (len(read.ids) - len(ids)),
        ]
