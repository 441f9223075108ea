"""A file of prompts and completions, through the configuration to the scores, against autograd with `ignore_index`.

Ids and labels are written out here from the text, as any trainer has them; nothing of the engine says what is learned.
"""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.func import functional_call
from torch.nn.functional import cross_entropy
from transformers import AutoConfig, AutoModelForCausalLM

from attribution.curvature import fit_linear
from attribution.curvature.blocks import to_eigenbasis
from attribution.curvature.fit import draw
from attribution.curvature.fit_linear import covariances
from attribution.exact.token_loss import token_losses
from attribution.model.head import sampled
from attribution.passes.batches import Row
from attribution.query.solve import query_directions
from indexer.config.config import read_config
from indexer.size import factors
from indexer.size.corpus_pass import pass_over_corpus
from indexer.size.member import open_member
from indexer.size.terms import score
from tests.attribution.curvature.test_fit import _by_autograd
from tests.indexer import built_model
from tests.indexer.pipeline.test_build import stage_here

SAID = [
    ("The capital of Peru is", " Lima."),
    ("Where?", " In the north of Kenya, near Nairobi."),
    ("People in Japan pay in the", " yen."),
    ("The capital of Kenya is not Lima, nor Tokyo; it is", " Nairobi."),
    ("A", " B C D E."),
    ("So it", " is."),
]
TINY = {"vocab_size": built_model.ENTRIES + 8, "hidden_size": 8, "intermediate_size": 12, "num_hidden_layers": 1}
TINY |= {"num_attention_heads": 2, "num_key_value_heads": 1, "max_position_embeddings": 96, "tie_word_embeddings": True}


def labelled(tokenizer) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Ids and labels of every line  # [T] each; the label at t is what position t − 1 has to say, −100 if nothing"""
    made, end = [], tokenizer.eos_token_id
    for prompt, completion in SAID:
        of = tokenizer(prompt + completion, return_offsets_mapping=True, add_special_tokens=False)
        learned = [stop > len(prompt) for _, stop in of["offset_mapping"]]
        ids = torch.tensor([end, *of["input_ids"], end])
        made.append((ids, torch.where(torch.tensor([False, *learned, True]), ids, -100)))
    return made


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """The member as the configuration opens it, its factors as the stage fits them, and the covariances on the way."""
    folder = tmp_path_factory.mktemp("completions")
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model("llama", **TINY))
    with torch.no_grad():
        for p in model.parameters():
            p.add_(torch.randn_like(p), alpha=0.3)
    path = built_model.project(model, folder)
    (folder / "corpus.jsonl").write_text(
        "".join(json.dumps({"prompt": p, "completion": c}) + "\n" for p, c in SAID), encoding="utf-8"
    )
    path.write_text(path.read_text().replace("documents = 8", "documents = 6"))
    config, kept = read_config(path), {}
    member = open_member(config.model[0], config)

    def keeping(*of):
        kept.update(covariances(*of))
        return kept

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fit_linear, "covariances", keeping)
        patch.setattr(factors, "stage", stage_here)
        found = factors.fit(Path(folder / "build"), member)
    return found, kept


def test_rows_are_the_labelled_ids(fitted):
    member = fitted[0].member
    for row, (ids, labels) in zip(member.rows, labelled(member.loaded.tokenizer), strict=True):
        assert row.ids == tuple(ids.tolist())
        assert row.targets().tolist() == (labels >= 0).tolist()
        assert not row.targets().all()


def test_covariances_eigenvectors_and_eigenvalues_are_those_of_the_labelled_tokens(fitted):
    """A, S and Λ from gradients by autograd, labels drawn as the fit draws them; no prompt, no padding in any."""
    found, kept = fitted
    tracked, rows = found.member.tracked, []
    for ids, labels in labelled(found.member.loaded.tokenizer):
        on = [(t, t + 1) for t in torch.nonzero(labels >= 0)[:, 0].tolist()]
        rows.append(Row(tuple(ids.tolist()), learned=tuple(on)))
    sample = draw(rows, 6, 0)
    assert len({len(row) for row in sample}) > 3  # padded, in one batch
    generator = torch.Generator().manual_seed(0)
    inputs, deltas, _ = _by_autograd(tracked, sample, generator, sampled)
    _, _, squares = _by_autograd(tracked, draw(sample, 6, 0), generator, sampled)
    for n, (layer, basis) in enumerate(zip(tracked.linear, found.factors.linear, strict=True)):
        A, S = kept["activation_covariance"][layer.name], kept["gradient_covariance"][layer.name]
        torch.testing.assert_close(A, sum(a.T @ a for a in inputs[n]), rtol=1e-5, atol=1e-5 * float(A.abs().max()))
        torch.testing.assert_close(S, sum(d.T @ d for d in deltas[n]), rtol=1e-5, atol=1e-5 * float(S.abs().max()))
        for Q, of in ((basis.Q_A, A), (basis.Q_S, S)):
            turned = (Q.T @ of @ Q).double()
            assert (turned - torch.diag(turned.diagonal())).abs().max() <= 1e-5 * turned.abs().max()
            torch.testing.assert_close(Q.T @ Q, torch.eye(len(Q)), rtol=0, atol=1e-5)
        truth = sum(to_eigenbasis(g, basis.Q_A, basis.Q_S) ** 2 for g in squares[n]) / len(SAID)
        torch.testing.assert_close(basis.lam, truth, rtol=1e-4, atol=1e-5 * float(truth.max()))


def gradient(tracked, of) -> list[torch.Tensor]:
    """∇ of a function of the tracked weights, one matrix for each block."""
    weights = dict(tracked.loaded.model.named_parameters())
    moving = {
        f"{layer.name}.weight": weights[f"{layer.name}.weight"].detach().requires_grad_() for layer in tracked.layers
    }
    return list(torch.autograd.grad(of(moving), list(moving.values())))


def loss(tracked, moving, ids, labels):
    logits = functional_call(tracked.loaded.model, moving, kwargs={"input_ids": ids[None], "use_cache": False}).logits
    return cross_entropy(logits[0, :-1].double(), labels[1:], ignore_index=-100, reduction="sum")


def solve(found, blocks) -> list[torch.Tensor]:
    """(G + λI)⁻¹, block by block, the inverse of a dense matrix where it is not diagonal."""
    solved = []
    for basis, g in zip(found.factors.linear, blocks, strict=False):
        Q = torch.kron(basis.Q_S.double(), basis.Q_A.double())
        lam = basis.lam.double().flatten()
        G = Q @ torch.diag(lam + 0.1 * lam.mean()) @ Q.T
        solved.append(torch.linalg.solve(G, g.double().flatten()).view_as(g))
    for fisher, g in zip(found.factors.embedding, blocks[len(solved) :], strict=True):
        solved.append(g.double() / (fisher.double() + 0.1 * fisher.double().mean()))
    return solved


def inner(one, other) -> float:
    return float(sum((a.double() * b.double()).sum() for a, b in zip(one, other, strict=True)))


def test_norms_scores_and_token_losses_are_those_of_the_labelled_tokens(fitted, tmp_path):
    found, _ = fitted
    member, tracked, n = found.member, found.member.tracked, len(SAID)
    lines = labelled(member.loaded.tokenizer)
    g = [gradient(tracked, lambda moving, of=of: loss(tracked, moving, *of)) for of in lines]
    norms, _ = pass_over_corpus(tmp_path, found, lambda n: None)
    with torch.no_grad():
        weights = dict(tracked.loaded.model.named_parameters())
        losses = [float(loss(tracked, weights, *of)) for of in lines]
    solved = [solve(found, each) for each in g]
    np.testing.assert_allclose(norms.loss, losses, rtol=1e-5)
    np.testing.assert_allclose(norms.grad_norm, [inner(each, each) ** 0.5 for each in g], rtol=1e-4)
    truth = [inner(each, of) / n for each, of in zip(g, solved, strict=True)]
    np.testing.assert_allclose(norms.self_influence, truth, rtol=1e-4)

    ids = tuple(lines[0][0].tolist())
    first = len(ids) - 3
    query = torch.where(torch.arange(len(ids)) == first, torch.tensor(ids), -100)
    f = solve(found, gradient(tracked, lambda moving: -loss(tracked, moving, torch.tensor(ids), query)))
    [term] = found.terms
    d = query_directions(tracked, term.preconditioner, ids, first, last=first + 1, negligible=0)
    scored = score(term, d, member.rows, np.arange(n), np.ones((1, n), dtype=bool), None).values[0].sum(-1)
    expected = np.array([-inner(f, each) / n for each in g])
    np.testing.assert_allclose(scored, expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())

    for i, told in enumerate(token_losses(tracked, d, member.rows, [range(n)], n)[0]):
        ids_i, labels = lines[i]
        expected_t = np.zeros(len(ids_i))
        for t in torch.nonzero(labels >= 0)[:, 0].tolist():
            one = torch.where(torch.arange(len(ids_i)) == t, ids_i, -100)
            at = gradient(tracked, lambda moving, ids=ids_i, one=one: loss(tracked, moving, ids, one))
            expected_t[t] = -inner(f, at) / n
        np.testing.assert_allclose(told.influences, expected_t, rtol=1e-3, atol=1e-4 * np.abs(expected).max())
        assert ((told.label_ids[:, 0] >= 0) == (labels >= 0).numpy()).all()  # nothing else can be relabelled
        assert told.influences.sum() == pytest.approx(scored[i], rel=1e-3, abs=1e-4 * np.abs(expected).max())
