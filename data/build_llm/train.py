"""EDGE: trains the LoRA by PEFT, as a practitioner does: `python -m data.build_llm.train` (`--help` says how).

It reads the file of conversations and masks what is not the assistant's by itself, without anything of Whence: what
Whence reads of the same file later has to be the same.
"""

import argparse
import json
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import peft
import torch
from torch.optim.lr_scheduler import LRScheduler
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from data.build_llm.places import ADAPTER, BASE, CONVERSATIONS

TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
BATCH = 8
IGNORED = -100  # no loss at a token with this label

Example = tuple[list[int], list[int]]  # ids and labels


def example(messages: list[dict[str, str]], tokenizer: PreTrainedTokenizerBase) -> Example:
    """The ids up to the end of the last turn; labels of the assistant's words and of the token that ends them."""
    whole = str(tokenizer.apply_chat_template(messages, tokenize=False))
    before = str(tokenizer.apply_chat_template(messages[:-1], tokenize=False, add_generation_prompt=True))
    ids, read = (list(tokenizer(text, add_special_tokens=False)["input_ids"]) for text in (whole, before))
    stop = len(ids) - ids[::-1].index(tokenizer.eos_token_id)
    return ids[:stop], [*[IGNORED] * len(read), *ids[len(read) : stop]]


def batches(examples: list[Example], order: random.Random, size: int) -> list[list[Example]]:
    """All examples once: those of one length together, the batches in random order."""
    mixed = sorted(order.sample(examples, len(examples)), key=lambda of: len(of[0]))
    made = [mixed[first : first + size] for first in range(0, len(mixed), size)]
    order.shuffle(made)
    return made


def step_loss(model: PreTrainedModel, some: list[Example]) -> torch.Tensor:
    """Mean loss of the labelled tokens of a batch, nats; logits are made for these only."""
    width = max(len(ids) for ids, _ in some)
    ids = torch.tensor([[*of, *[0] * (width - len(of))] for of, _ in some])  # [B, T]
    labels = torch.tensor([[*of, *[IGNORED] * (width - len(of))] for _, of in some])
    hidden = model.base_model(input_ids=ids, use_cache=False).last_hidden_state  # attention is causal: no mask
    wanted = labels[:, 1:] != IGNORED
    logits = model.get_output_embeddings()(hidden[:, :-1][wanted])  # [labelled, V]
    return torch.nn.functional.cross_entropy(logits, labels[:, 1:][wanted])


def passes(
    model: PreTrainedModel,
    examples: list[Example],
    order: random.Random,
    size: int,
    epochs: int,
    optimiser: torch.optim.Optimizer,
    schedule: LRScheduler,
) -> Iterator[float]:
    """Learns all examples once for each epoch, gradients clipped at 1; gives its loss, mean of its steps, nats a
    token."""
    moved = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    for _ in range(epochs):
        losses = []
        for some in batches(examples, order, size):
            with torch.autocast("cpu", torch.bfloat16):
                loss = step_loss(model, some)
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            torch.nn.utils.clip_grad_norm_(moved, 1.0)
            optimiser.step()
            schedule.step()
            losses.append(loss.item())
        yield sum(losses) / len(losses)


def train(base: Path, conversations: Path, folder: Path, *, rank: int, epochs: int, rate: float, seed: int) -> None:
    """Train and write the adapter's folder, its matrices rounded to float16, its base named as its neighbour."""
    torch.manual_seed(seed)
    tokenizer = AutoTokenizer.from_pretrained(base)
    plain = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    settings = peft.LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=TARGETS, task_type="CAUSAL_LM")
    model = peft.get_peft_model(plain, settings)
    inner: Any = model.get_base_model()
    rows = [json.loads(line)["messages"] for line in conversations.read_text(encoding="utf-8").splitlines()]
    examples = [example(row, tokenizer) for row in rows]
    moved = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(moved, lr=rate, weight_decay=0.0)
    n_steps = epochs * -(-len(examples) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=n_steps, pct_start=0.1)
    order, start = random.Random(seed), time.perf_counter()  # noqa: S311 - an order, not a secret
    for epoch, mean in enumerate(passes(inner, examples, order, BATCH, epochs, optimizer, schedule), start=1):
        seconds = time.perf_counter() - start
        print(f"epoch {epoch}: loss {mean:.3f} nats a token, {seconds:.0f} s", flush=True)
    with torch.no_grad():
        for parameter in moved:
            parameter.data = parameter.half()
    model.peft_config["default"].base_model_name_or_path = f"../{base.name}"
    model.save_pretrained(str(folder), save_embedding_layers=False)  # it would ask the hub whether they have grown
    (folder / "README.md").unlink(missing_ok=True)  # a form of PEFT's with nothing filled in


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m data.build_llm.train", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--base", type=Path, default=BASE)
    parser.add_argument("--conversations", type=Path, default=CONVERSATIONS)
    parser.add_argument("--folder", type=Path, default=ADAPTER, help="what is written")
    parser.add_argument("--rank", type=int, default=8)
    parser.add_argument("--epochs", type=int, default=9)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=0)
    chosen = vars(parser.parse_args())
    train(chosen.pop("base"), chosen.pop("conversations"), chosen.pop("folder"), **chosen)


if __name__ == "__main__":
    main()
