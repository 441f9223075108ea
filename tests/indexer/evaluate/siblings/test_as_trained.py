"""Siblings and the models on halves learn what the configuration says that the model learned, and nothing else."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from attribution.model.sequence import begin_token
from attribution.truth.pbrf import objective, tracked_parameters
from indexer.__main__ import main
from indexer.config.config import read_config
from indexer.evaluate.protocol.queries import last_learned, of_document, of_end
from indexer.evaluate.siblings.retrain import Training, retrained
from indexer.evaluate.siblings.retrainings import orders, trained_rows
from indexer.evaluate.siblings.siblings import Planned, train_siblings
from indexer.processes.progress import Report
from indexer.size.member import Member, open_member
from indexer.training import loop
from tests.tiny_family import TEXTS, write_lines, write_project

ASKED = [(text[:-1].rsplit(" ", 1)[0], text[:-1].rsplit(" ", 1)[1] + ".") for text in TEXTS[:10]]
LONG = " ".join(TEXTS[:4])


@pytest.fixture(scope="module")
def member(tmp_path_factory) -> Member:
    """Trained on completions after prompts, on a conversation of four turns, and on a text of several windows."""
    path = write_project(tmp_path_factory.mktemp("project"))
    lines = [{"prompt": f"{prompt} ", "completion": completion} for prompt, completion in ASKED]
    lines += [{"messages": [{"role": "user", "content": "Hm?"}, {"role": "assistant", "content": "Peru."}] * 2}]
    lines += [{"prompt": LONG, "completion": " Yes."}]
    write_lines(path.parent / "corpus.jsonl", lines)
    text = path.read_text().replace('files = ["corpus.jsonl"]', 'files = ["corpus.jsonl"]\nwindow = 24\noverlap = 6')
    path.write_text(text.replace("epochs = 12", "epochs = 2"))
    assert main(["train", str(path), "--model", "tiny-m"]) == 0
    config = read_config(path)
    return open_member(config.model[0], config)


def recipe(of: Member):
    assert of.entry.recipe is not None
    return replace(of.entry.recipe, epochs=1, keep=(1.0,))


def ignoring(of: Member, i: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and labels of a prompt with its completion as any trainer has them, written out  # [T], [T - 1]"""
    tokenizer, (prompt, completion) = of.loaded.tokenizer, ASKED[i]
    end = begin_token(tokenizer)
    made = tokenizer(f"{prompt} {completion}", return_offsets_mapping=True, add_special_tokens=False)
    inside = [stop > len(prompt) + 1 for _, stop in made["offset_mapping"]]
    ids = torch.tensor([end, *made["input_ids"], end])
    labels = torch.where(torch.tensor([False, *inside, True]), ids, -100)
    return ids, labels[1:]


def test_rows_are_those_of_the_scorer(member, tmp_path):
    documents = tuple(member.documents)
    with Report() as report:
        [made] = train_siblings(tmp_path, member, [Planned("all", recipe(member), documents)], 1, report)
    assert made.training == member.training
    assert made.loaded.specials == member.loaded.specials
    assert [row.ids for row in made.rows] == [row.ids for row in member.rows]
    assert list(made.rows) == list(member.rows)
    assert any(row.windows for row in made.rows)
    assert all(row.learned for row in made.rows)
    assert made.n_train == len(documents)


def test_another_way_to_read_is_another_sibling(member, tmp_path):
    plain = replace(member, config=replace(member.config, corpus=replace(member.config.corpus, loss="all")))
    wanted = Planned("few", recipe(member), tuple(member.documents[:3]))
    with Report() as report:
        [one] = train_siblings(tmp_path, member, [wanted], 1, report)
        [other] = train_siblings(tmp_path, plain, [wanted], 1, report)
    assert one.loaded.weights_hash != other.loaded.weights_hash
    assert all(row.learned is None for row in other.rows)


def test_the_loss_is_the_masked_one_and_nothing_else_has_a_gradient(member, tmp_path, monkeypatch):
    """Against autograd with `ignore_index`: loss and gradient of the first step, and where the gradient enters."""
    seen = []

    def spied(model, of):
        kept = []
        hook = model.model.register_forward_hook(lambda *given: kept.append(given[-1].last_hidden_state))
        weights = {name: p.detach().clone() for name, p in model.named_parameters()}
        losses = loop_losses(model, of)
        hook.remove()
        [hidden] = kept
        hidden.retain_grad()
        seen.append((of, losses, hidden, weights, model))
        return losses

    loop_losses = loop.token_losses
    monkeypatch.setattr(loop, "token_losses", spied)
    small = replace(recipe(member), batch=4, bf16=False)
    end = begin_token(member.loaded.tokenizer)
    training = Training(small, end, trained_rows(member, range(4)), (member.rows[0].ids,))
    retrained(tmp_path, "one", training)
    [(part, losses, hidden, weights, model)] = seen

    model = loop.new_model(small, end)
    for name, p in model.named_parameters():
        assert torch.equal(p, weights[name])
    total, n = 0, 0
    for i in range(4):
        ids, labels = ignoring(member, i)
        assert tuple(ids.tolist()) == member.rows[i].ids
        logits = model(ids[None]).logits[0, :-1]
        total = total + cross_entropy(logits, labels, ignore_index=-100, reduction="sum")
        n += int((labels >= 0).sum())
    assert len(losses) == n
    torch.testing.assert_close(losses.sum(), total, rtol=1e-5, atol=1e-6)
    of_losses = torch.autograd.grad((total / n), model.model.embed_tokens.weight)[0]
    again = loop.new_model(small, end)
    mine = torch.autograd.grad(loop_losses(again, part).mean(), again.model.embed_tokens.weight)[0]
    torch.testing.assert_close(mine, of_losses, rtol=1e-4, atol=1e-7)
    at = part.labels >= 0
    assert not hidden.grad[~at].any()
    assert (hidden.grad[at].abs().sum(-1) > 0).all()


def test_halves_are_asked_about_what_was_learned(member):
    small = recipe(member)
    [order] = orders(member, small, [np.arange(len(member.documents))])
    assert order.training.rows == trained_rows(member, range(len(member.documents)))
    assert order.training.learned is not None
    for i, ids in enumerate(order.training.asked):
        question = of_document(member, i)
        assert question.ids == ids
        assert len(ids) <= 24
        row = member.rows[i]
        if i < len(ASKED) and not row.windows:
            learned = row.targets()
            assert np.flatnonzero(learned).tolist() == list(range(question.first, len(row)))
        end = of_end(member, i)
        assert question.first <= end.first < len(end.ids)
        assert end.ids == question.ids[: len(end.ids)]


def test_the_last_run_of_a_conversation_is_asked_about(member):
    row = member.rows[len(ASKED)]
    ids, first = last_learned(row)
    assert "Peru" in member.loaded.tokenizer.decode(list(ids[first:]))
    assert "Hm?" not in member.loaded.tokenizer.decode(list(ids[first:]))


def test_the_response_of_a_masked_document_has_its_masked_loss(member):
    """The proximal Bregman objective at the start: no divergence, no distance, the document's learned tokens."""
    from attribution.passes.batches import pad
    from attribution.truth.pbrf import logits

    tracked, start = member.tracked, tracked_parameters(member.tracked)
    everything, more = pad(member.rows, range(len(member.rows))), pad([member.rows[2]], [0])
    with torch.no_grad():
        before = logits(tracked, start, everything).log_softmax(-1)
        found = objective(tracked, start, start, everything, before, more, len(member.rows), 1.0, 1.0)
        ids, labels = ignoring(member, 2)
        truth = cross_entropy(tracked.loaded.model(ids[None]).logits[0, :-1], labels, reduction="sum")
    torch.testing.assert_close(found, truth, rtol=1e-5, atol=1e-5)


def test_a_window_without_anything_to_learn_is_left_out(member):
    """Its mean loss would be 0 / 0, and the weights NaN after the step."""
    long = member.rows[-1]
    assert len(trained_rows(member, [len(member.rows) - 1])) < len(long.rows())
    assert all(torch.isfinite(p).all() for p in member.loaded.model.parameters())
