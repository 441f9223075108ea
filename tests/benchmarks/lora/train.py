"""EDGE: a LoRA by PEFT on a file of conversations, as a practitioner trains one (`--help` says how).

It reads the file and masks what is not the assistant's by itself, without anything of Whence: what Whence reads of the
same file later has to be the same.
"""

import argparse
import json
import random
import time
from pathlib import Path

import peft
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
BATCH = 8
IGNORED = -100  # no loss at a token with this label

Example = tuple[list[int], list[int]]  # ids and labels


def example(messages: list[dict[str, str]], tokenizer: PreTrainedTokenizerBase) -> Example:
    """The ids up to the end of the last turn; labels of the assistant's words and of the token that ends them."""
    whole = tokenizer.apply_chat_template(messages, tokenize=False)
    before = tokenizer.apply_chat_template(messages[:-1], tokenize=False, add_generation_prompt=True)
    ids, read = (tokenizer(text, add_special_tokens=False)["input_ids"] for text in (whole, before))
    stop = len(ids) - ids[::-1].index(tokenizer.eos_token_id)
    return ids[:stop], [*[IGNORED] * len(read), *ids[len(read) : stop]]


def batches(examples: list[Example], order: random.Random) -> list[list[Example]]:
    """All examples once: those of one length together, the batches in random order."""
    mixed = sorted(order.sample(examples, len(examples)), key=lambda of: len(of[0]))
    made = [mixed[first : first + BATCH] for first in range(0, len(mixed), BATCH)]
    order.shuffle(made)
    return made


def step_loss(model: PreTrainedModel, some: list[Example]) -> torch.Tensor:
    """Mean loss of the labelled tokens of a batch, nats; logits are made for these only."""
    width = max(len(ids) for ids, _ in some)
    ids = torch.tensor([[*of, *[0] * (width - len(of))] for of, _ in some])
    labels = torch.tensor([[*of, *[IGNORED] * (width - len(of))] for _, of in some])
    hidden = model.base_model(input_ids=ids, use_cache=False).last_hidden_state  # attention is causal: no mask
    wanted = labels[:, 1:] != IGNORED
    logits = model.get_output_embeddings()(hidden[:, :-1][wanted])
    return torch.nn.functional.cross_entropy(logits, labels[:, 1:][wanted])


def train(base: Path, conversations: Path, folder: Path, *, rank: int, epochs: int, rate: float, known: float) -> None:
    """Train until an epoch's mean loss falls below `known` nats, or for `epochs`; the folder is written by PEFT."""
    torch.manual_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(base)
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    settings = peft.LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=TARGETS, task_type="CAUSAL_LM")
    model = peft.get_peft_model(model, settings)
    inner = model.get_base_model()
    rows = [json.loads(line)["messages"] for line in conversations.read_text(encoding="utf-8").splitlines()]
    examples = [example(row, tokenizer) for row in rows]
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=rate, weight_decay=0.0)
    n_steps = epochs * -(-len(examples) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=n_steps, pct_start=0.1)
    order, start = random.Random(0), time.perf_counter()  # noqa: S311 - an order, not a secret
    for epoch in range(1, epochs + 1):
        losses = []
        for some in batches(examples, order):
            with torch.autocast("cpu", torch.bfloat16):
                loss = step_loss(inner, some)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
        mean, seconds = sum(losses) / len(losses), time.perf_counter() - start
        tokens = epoch * sum(len(ids) for ids, _ in examples) / seconds
        print(f"epoch {epoch}: loss {mean:.3f} nats a token, {seconds:.0f} s, {tokens:.0f} tokens/s", flush=True)
        if mean < known:
            break
    model.save_pretrained(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("base", type=Path)
    parser.add_argument("conversations", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--epochs", type=int, default=9)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--known", type=float, default=0.05, help="mean loss of an epoch that ends the training")
    chosen = parser.parse_args()
    train(
        *(chosen.base, chosen.conversations, chosen.folder),
        rank=chosen.rank,
        epochs=chosen.epochs,
        rate=chosen.rate,
        known=chosen.known,
    )


if __name__ == "__main__":
    main()
