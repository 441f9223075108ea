"""EDGE: an answer of the published database, as the model's own again: what it read, and the ids that it wrote."""

from attribution.errors import BadInput
from attribution.model.generate import completed
from attribution.prompt.text.parts import Part
from indexer.corpus.prompt import Prompt
from indexer.database.reader import Database
from indexer.size.answers import Answer
from indexer.size.member import Member
from indexer.size.rendered import read_ids

_ASKED = """SELECT generation.prompt_id, model_id, prompt.text, prompt.kind, prompt.topic, prompt.answer
            FROM generation JOIN prompt USING (prompt_id) WHERE generation_id = ?"""
_PARTS = "SELECT part, kind, title, start, stop, owner FROM prompt_part WHERE prompt_id = ? ORDER BY part"
_TOKENS = "SELECT token_id, logp FROM generation_token WHERE generation_id = ? ORDER BY position"


def stored_answer(member: Member, generation_id: str) -> Answer:
    """The answer of this id in the folder that the member is of.

    Raises BadInput for an id that the database does not hold, or holds of another model.
    """
    now = Database(member.config.output.folder).current()
    found = now.rows(_ASKED, [generation_id])
    if not found:
        raise BadInput(f"expected the generation_id of an answer of the database, found {generation_id!r}; see Runs")
    [of] = found
    if of["model_id"] != member.loaded.weights_hash:
        raise BadInput(
            f"expected an answer of {member.entry.name}, found {generation_id!r} of another model; name its model"
        )
    parts = tuple(Part(**row) for row in now.rows(_PARTS, [of["prompt_id"]]))
    tokens = now.rows(_TOKENS, [generation_id])
    about = (of["text"], of["kind"], of["topic"] or "", of["answer"] or "")
    prompt = Prompt(of["prompt_id"], *about, completion=None, foil=None, parts=parts)
    ids, logp = (tuple(row[name] for row in tokens) for name in ("token_id", "logp"))
    made = completed(member.loaded, read_ids(prompt, member.loaded), ids, logp)
    return Answer(generation_id, prompt, made)
