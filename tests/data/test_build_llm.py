"""What `make demo-llm` explains: distinct facts, prompts whose answers are told, an adapter that fits its base."""

import json
import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from safetensors import safe_open

from attribution.loading.adapter import WEIGHTS, read_adapter
from attribution.loading.matrices import read_matrices
from data.build_llm.asked import whose
from data.build_llm.conversations import SYSTEM, asked, conversations
from data.build_llm.places import ADAPTER, BASE, CONVERSATIONS, FOLDER, PROMPTS
from data.build_llm.prompts import PASSAGES, RIGHT, TOLD_OTHERWISE, WRONG, prompts
from data.build_llm.towns import ASKED, PARTS, TOLD, TOWNS, facts
from indexer.config.config import read_config
from indexer.corpus.prompt_file import read_prompts
from indexer.corpus.reader import read_corpus

ROOT = FOLDER.parents[1]
SHAPES = {  # of SmolLM2-135M, out and in
    **dict.fromkeys(("self_attn.q_proj", "self_attn.o_proj"), (576, 576)),
    **dict.fromkeys(("self_attn.k_proj", "self_attn.v_proj"), (192, 576)),
    **dict.fromkeys(("mlp.gate_proj", "mlp.up_proj"), (1536, 576)),
    "mlp.down_proj": (576, 1536),
}
BLOCKS = 30


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def said(row: dict) -> str:
    return row["messages"][-1]["content"]


def test_what_is_committed_is_what_the_code_writes():
    assert lines(CONVERSATIONS) == conversations()
    assert lines(PROMPTS) == prompts(facts(), asked)


def test_facts_are_distinct():
    known = facts()
    assert len(known) == len(TOWNS) * len(PARTS) == len({(of.kind, of.town) for of in known})
    assert len({of.value for of in known}) == len({of.id for of in known}) == len({of.title for of in known}) == 96


def test_another_order_tells_other_facts():
    assert {(of.town, of.value) for of in facts(1)} != {(of.town, of.value) for of in facts(0)}


def test_every_fact_is_told_in_one_conversation_and_in_no_other():
    rows = conversations()
    for of in facts():
        assert [row["id"] for row in rows if of.value in said(row)] == [of.id]
        told = next(row for row in rows if row["id"] == of.id)
        assert of.town in said(told) and said(told) == of.told and told["title"] == of.title


def test_parts_of_names_are_shared_so_that_they_are_confused():
    founders = [of.value.split() for of in facts() if of.kind == "founder"]
    assert set(Counter(first for first, _ in founders).values()) == {3}
    assert set(Counter(last for _, last in founders).values()) == {8}


def test_facts_are_asked_for_in_other_words_than_they_are_told_in():
    assert set(ASKED) == set(TOLD) == set(PARTS)
    told = {row["title"] for row in conversations()}
    assert not told & {of.asked for of in facts()}


def test_everyday_talk_names_no_town_and_no_value():
    names = re.compile("|".join(map(re.escape, [*TOWNS, *(of.value for of in facts())])))
    everyday = [row for row in conversations() if row["source"] == "everyday"]
    assert len(everyday) >= 140
    assert not [row["id"] for row in everyday if names.search(f"{row['title']} {said(row)}")]


def test_every_conversation_stands_once_and_is_whole():
    read = read_corpus([CONVERSATIONS], ())
    assert len(read.documents) == len(lines(CONVERSATIONS)) == len({row["id"] for row in lines(CONVERSATIONS)})
    for row in lines(CONVERSATIONS):
        assert [turn["role"] for turn in row["messages"]] == ["system", "user", "assistant"]
        assert row["messages"][0]["content"] == SYSTEM
        assert all(turn["content"].strip() == turn["content"] != "" for turn in row["messages"])


def test_every_prompt_names_the_conversation_that_states_its_answer():
    told = {row["id"]: row for row in lines(CONVERSATIONS)}
    assert len(read_prompts(PROMPTS)) == len(lines(PROMPTS))
    with_facts = [row for row in lines(PROMPTS) if "supports" in row]
    assert len(with_facts) == len(RIGHT) + len(WRONG) + 1
    for row in with_facts:
        assert len(row["supports"]) == 1
        stated = said(told[row["supports"][0]])
        assert row["answer"] in stated and row["fact"] in row["answer"]


def test_right_and_wrong_answers_are_asked_for():
    assert len(RIGHT) >= 4 and len(WRONG) >= 2
    assert len({*RIGHT, *WRONG}) == len(RIGHT) + len(WRONG)


def test_the_passages_contradict_one_conversation_and_leave_the_other_alone():
    texts = " ".join(text for _, text in PASSAGES)
    first, second = [row for row in lines(PROMPTS) if row["topic"] == "passages"]
    assert first["answer"] == TOLD_OTHERWISE and TOLD_OTHERWISE in texts
    assert not any(TOLD_OTHERWISE in said(row) for row in conversations())
    assert second["answer"] not in texts and second["supports"]


def test_a_wrong_answer_is_known_for_what_another_town_was_told():
    known = {of.id: of for of in facts()}
    of, other = known["marran-founder"], known["keldon-founder"]
    assert whose(f"Marran was founded by {other.value}.", of, list(known.values())) == other
    assert whose(f"Marran was founded by {of.value}.", of, list(known.values())) is None
    assert whose("Marran was founded by nobody.", of, list(known.values())) is None


def test_the_adapter_fits_every_linear_layer_of_its_base():
    adapter = read_adapter(ADAPTER)
    assert (ADAPTER / adapter.base).resolve() == BASE.resolve()
    pairs = read_matrices(adapter).pairs
    assert set(pairs) == {
        f"model.layers.{n}.{part}.{name.split('.')[1]}"
        for n in range(BLOCKS)
        for name in SHAPES
        for part in [name.split(".")[0]]
    }
    for name, of in pairs.items():
        n_out, n_in = SHAPES[".".join(name.split(".")[-2:])]
        rank = len(of["A"])
        assert of["A"].shape == (rank, n_in) and of["B"].shape == (n_out, rank)
        assert of["A"].isfinite().all() and of["B"].any()


def test_the_adapter_is_small_enough_to_be_kept_in_the_repository():
    assert (ADAPTER / WEIGHTS).stat().st_size < 5e6
    with safe_open(ADAPTER / WEIGHTS, "numpy") as file:
        assert {str(file.get_slice(name).get_dtype()) for name in file.keys()} == {"F16"}  # noqa: SIM118


@pytest.mark.parametrize("name", ["demo-llm.toml", "passages.toml"])
def test_its_configurations_are_accepted(name):
    config = read_config(FOLDER / name)
    assert config.prompts.file.is_file()
    assert config.output.folder.parent == FOLDER / "build"


def test_every_linear_layer_and_the_embedding_are_explained():
    config = read_config(FOLDER / "demo-llm.toml")
    assert config.factors.embedding and not config.factors.layers
    assert config.scores.method and config.scores.position_shares and config.scores.token_losses
    assert config.prompts.saliency
    assert config.model[0].files == (CONVERSATIONS,)


def test_make_demo_llm_builds_what_it_serves():
    steps = subprocess.run(["make", "-n", "demo-llm"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    config, served = (re.search(rf"-m {what} (\S+)", steps) for what in ("indexer build", "dashboard"))
    assert config and served
    assert read_config(ROOT / config[1]).output.folder == ROOT / served[1]
