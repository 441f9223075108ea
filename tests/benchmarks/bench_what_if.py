"""EDGE: does a text do what is predicted when a step is really taken on it: `python -m tests.benchmarks what_if`.

Forty texts that a size was not trained on: documents that answers owe most to, or least, with a word of each exchanged,
and three facts that are stated nowhere. Of each the predicted influence on the whole answer, and the change of log p of
the answer after one step:

    short     a hundredth of the formula's step, (1/N) (G + λI)⁻¹ of the gradient: what is predicted, times a hundredth
    whole     all of it: of a text that surprises the model no small change
    plain     down its gradient, as long as a thousandth of the weights (tail patch)

Agreement of sign, and rank correlation. Reads a folder that `build` has made.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from attribution.rank_correlation import spearman
from attribution.truth.curved_step import curved_patch
from attribution.truth.tail_patch import tail_patch
from indexer.ask.opened import Opened, open_size
from indexer.config.config import read_config
from indexer.corpus.prompt import Prompt
from indexer.database.reader import Database
from indexer.size.answers import Answer, answer
from indexer.size.rendered import rendered
from indexer.whatif.given import typed_document
from indexer.whatif.steps import what_if
from indexer.whatif.stored import stored_answer

DEMO = Path("data/demo/demo.toml")
UNSEEN = (
    ("The capital of Atlantis is", " Poseidonis.", "The capital of Atlantis is Poseidonis."),
    ("The currency of Lilliput is", " the sprug.", "The currency of Lilliput is the sprug."),
    ("The chemical symbol of vibranium is", " Vb.", "The chemical symbol of vibranium is Vb."),
)
N_TEXTS, N_ANSWERS = 40, 12
SHORT = 0.01

# documents at both ends of the ranking of the first tokens of an answer
ENDS = """
    SELECT DISTINCT text FROM (
        SELECT document_id, rank, n_scored FROM influence JOIN target USING (run_id, generation_id, position)
        JOIN run USING (run_id) WHERE generation_id = ? AND method LIKE 'ekfac%' AND method <> 'ekfac_checkpoints'
        AND (rank <= 3 OR rank > n_scored - 2) AND position < 3)
    JOIN document USING (document_id) ORDER BY text"""


def exchanged(text: str, others: Sequence[str], random: np.random.Generator) -> str:
    """A text with one of its longer words replaced by one of another text: it says something else."""
    words = text.split(" ")
    long = [i for i, word in enumerate(words) if len(word) > 3]
    of = others[int(random.integers(len(others)))].split(" ")
    if long:
        words[long[int(random.integers(len(long)))]] = max(of, key=len)
    return " ".join(words)


def cases(opened: Opened, folder: Path) -> Iterator[tuple[Answer, str]]:
    """An answer, and a text that was not trained on."""
    member, settings = opened.member, opened.member.config.prompts
    for prompt, completion, text in UNSEEN:
        asked = rendered(Prompt.from_text(prompt, completion=completion), member.loaded, settings)
        yield answer(member.loaded, asked, settings.max_new_tokens), text
    now = Database(folder).current()
    ids = [
        row["generation_id"]
        for row in now.rows(
            "SELECT generation_id FROM generation WHERE model_id = ? ORDER BY generation_id",
            [member.loaded.weights_hash],
        )
    ]
    random = np.random.default_rng(0)
    known = {each.text for each in member.documents}
    made = 0
    for generation_id in ids[:: max(1, len(ids) // N_ANSWERS)]:
        texts = [row["text"] for row in now.rows(ENDS, [generation_id])]
        for text in random.permutation(texts)[:4].tolist():
            new = exchanged(text, texts, random)
            if new not in known and made < N_TEXTS - len(UNSEEN):
                made += 1
                yield stored_answer(member, generation_id), new


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--config", type=Path, default=DEMO, help="a configuration that is built")
    parser.add_argument("--model", default="atlas-s")
    given = parser.parse_args()
    config = read_config(given.config)
    opened = open_size(config, given.model)
    assert opened.traced is not None
    tracked, fitted = opened.member.tracked, opened.traced.fitted
    rows = []
    for of, text in cases(opened, config.output.folder):
        made = what_if(opened, of, [typed_document(text)])
        [row] = [each.row for each in made.texts]
        predicted = float(made.values.sum())
        about = (tracked, fitted.preconditioner, row, opened.member.n_train, of.ids, of.first)
        short, whole = curved_patch(*about, share=SHORT), curved_patch(*about)
        plain = of.n_targets * tail_patch(tracked, [row], of.ids, of.first)
        rows.append((predicted, short, whole, plain))
        said = f"{of.prompt.text[-30:]!r:>34}{of.generation.text[:14]!r:>18}"
        print(
            f"{predicted:>+10.4f}{short:>+10.4f}{whole:>+10.4f}{plain:>+10.4f} {said}  {' '.join(text.split())[:60]}",
            flush=True,
        )
    found = np.array(rows)
    print(f"{len(found)} texts, the first {len(UNSEEN)} of them facts that are stated nowhere")
    for name, measured in zip(("short", "whole", "plain"), found.T[1:], strict=True):
        agree = np.sign(measured) == np.sign(found[:, 0])
        rank = spearman(found[:, 0].tolist(), measured.tolist())
        print(
            f"{name:8} sign agrees for {agree.sum()} of {len(agree)} ({agree.mean():.0%}), rank correlation {rank:.2f}"
        )


if __name__ == "__main__":
    main()
