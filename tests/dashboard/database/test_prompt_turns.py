"""A prompt as what is said in it, from the parts that the indexer stores."""

from dashboard.database.prompt_turns import prompt_turns
from dashboard.database.queries import answers
from dashboard.database.records import PromptPart
from indexer.corpus.prompt import Message, Prompt
from indexer.database.reader import Snapshot


def turns(prompt: Prompt) -> list[tuple[str, str]]:
    parts = [PromptPart(each.part, each.kind, each.title, each.start, each.stop) for each in prompt.parts]
    return prompt_turns(prompt.text, prompt.kind, parts)


def test_input_46_a_chat_is_its_turns() -> None:
    said = [("system", "Be brief."), ("user", "Hello?"), ("assistant", "Hi."), ("tool", "21 °C"), ("user", "And now?")]
    chat = Prompt.from_messages([Message(*each) for each in said])
    assert turns(chat) == said


def test_a_question_stands_without_its_documents_and_the_instruction_before_them() -> None:
    docs = [("A", "One."), ("B", "Two.")]
    assert turns(Prompt.from_question("Which?", docs)) == [("", "Which?"), ("documents", "over 2 documents")]
    chat = Prompt.from_messages([Message("system", "Be brief."), Message("user", "Which?")], docs[:1])
    assert turns(chat) == [("system", "Be brief."), ("user", "Which?"), ("documents", "over 1 document")]


def test_a_prompt_that_is_continued_has_no_roles() -> None:
    assert turns(Prompt.from_text("The capital is")) == [("", "The capital is")]
    assert prompt_turns("user: what", "chat", []) == [("", "user: what")]  # parts are not known


def test_what_is_asked_is_found_by_the_database(snapshot: Snapshot) -> None:
    listed = answers.prompts(snapshot, 100)
    assert "What is the capital of India?" in [asked for _, asked in listed]
    assert all("Answer the question" not in asked and "system:" not in asked for _, asked in listed)
    found = answers.turns_of(snapshot, [prompt_id for prompt_id, _ in listed])
    assert [asked for _, asked in listed] == [
        next(words for role, words in found[prompt_id] if role in ("", "user")) for prompt_id, _ in listed
    ]
