"""The curvature of embedding and head against gradients by autograd, one position and one label at a time."""

import copy
import json
from dataclasses import replace

import pytest
import torch

from attribution.curvature.fit import fit_factors
from attribution.curvature.fit_embedding import PREDICTED, READ, position_squares
from attribution.curvature.store import MANIFEST, load_factors
from attribution.model.tracked import track
from attribution.passes.batches import Row, pad
from attribution.passes.capture import capture
from attribution.passes.token_rates import token_rates
from tests.attribution import tiny, tiny_pairs
from tests.attribution.curvature.test_fit import DOCUMENTS, _drawn

KINDS = ["llama", "llama-untied", "gemma2", "gemma3"]  # tied; not; with a soft cap; with scaled rows


def passed(tracked, window):
    """Looked-up rows, a leaf [T, H], the last hidden state [T, H] and the logits [T, V] of one window."""
    model = tracked.loaded.model
    embedded = tracked.embedding_module(torch.tensor([window.ids])).detach().requires_grad_()
    hidden = model.base_model(inputs_embeds=embedded, use_cache=False).last_hidden_state
    logits = model(inputs_embeds=embedded, use_cache=False).logits[0]
    return embedded, hidden[0].detach(), logits


def squares_of_window(tracked, window, labels):
    """Σ_s δ_s² for these labels, Σ_t Σ_v E_y (∂L/∂W[v])² h_t², and how many positions of each there are."""
    targets = window.targets().nonzero()[0].tolist()
    embedded, hidden, logits = passed(tracked, window)
    logp = logits.log_softmax(-1)
    loss = -sum((logp[t - 1, y] for t, y in zip(targets, labels, strict=True)), logp.new_zeros(()))
    [of_rows] = torch.autograd.grad(loss + 0 * logits.sum(), embedded)
    cap, head = tracked.softcap, torch.zeros(tiny.H, dtype=tracked.dtype)
    for t in targets:
        h = tracked.head_input(hidden[t - 1])
        raw = tracked.raw_logits(hidden[t - 1]).detach().requires_grad_()
        z = raw if cap is None else cap * torch.tanh(raw / cap)
        p = z.softmax(-1).detach()
        for y in range(tiny.V):
            [delta] = torch.autograd.grad(-z.log_softmax(-1)[y], raw, retain_graph=True)
            head += p[y] * (delta[:, None] * h[None]).square().sum(dim=0)
    n_read = max(targets, default=0)
    return (of_rows[0, :n_read] * tracked.embedding_scale).square().sum(dim=0), head, n_read, len(targets)


def expected(tracked, documents, captured):
    """The same of all windows, with the labels that the pass has drawn: where ∂L/∂raw is negative."""
    labels = captured.logit_deltas.argmin(dim=1).tolist()
    total = [torch.zeros(tiny.H, dtype=tracked.dtype), torch.zeros(tiny.H, dtype=tracked.dtype), 0, 0]
    for i in captured.batch.members:
        for window in documents[i].rows():
            n = int(window.targets().sum())
            for k, each in enumerate(squares_of_window(tracked, window, labels[:n])):
                total[k] = total[k] + each
            del labels[:n]
    assert not labels
    return total


@pytest.mark.parametrize("kind", KINDS)
def test_squares_are_those_of_autograd(kind):
    tracked, documents = track(tiny.tiny_model(kind)), tiny.tiny_documents(6)
    captured = capture(tracked, pad(documents, range(6)), torch.Generator().manual_seed(0))
    read, predicted, n_read, n_predicted = expected(tracked, documents, captured)
    found = position_squares(tracked, captured)
    torch.testing.assert_close(found[READ], torch.cat([read, read.new_tensor([n_read])]))
    torch.testing.assert_close(found[PREDICTED], torch.cat([predicted, read.new_tensor([n_predicted])]))


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_head_has_depends_on_no_label_batch_or_padding(kind):
    tracked, documents = track(tiny.tiny_model(kind)), tiny.tiny_documents(6)
    draws = [torch.Generator().manual_seed(seed) for seed in (0, 1)]
    one, other = (position_squares(tracked, capture(tracked, pad(documents, range(6)), of)) for of in draws)
    alone = [position_squares(tracked, capture(tracked, pad(documents, [i]), draws[0])) for i in reversed(range(6))]
    assert not torch.allclose(one[READ], other[READ])
    torch.testing.assert_close(one[PREDICTED], other[PREDICTED])
    torch.testing.assert_close(one[PREDICTED], sum(each[PREDICTED] for each in alone))
    assert one[READ][-1] == sum(each[READ][-1] for each in alone)


def test_the_fitted_head_is_exact(tmp_path):
    """Rates times the mean square, neither of which is sampled where every document is fitted."""
    tracked, documents = track(tiny.tiny_model("llama-untied", dtype=torch.float32)), tiny.tiny_documents(40)
    fit_factors(tracked, documents, tmp_path)
    wide = track(replace(tracked.loaded, model=copy.deepcopy(tracked.loaded.model).double()))
    windows = [window for each in documents if each.targets().any() for window in each.rows()]
    each = [squares_of_window(wide, window, [0] * int(window.targets().sum())) for window in windows]
    mean = sum(of[1] for of in each) / sum(of[3] for of in each)
    rates = torch.from_numpy(token_rates(documents, tiny.V).predicted)
    found = load_factors(tmp_path, tracked).embedding[1]
    torch.testing.assert_close(found.double(), torch.outer(rates, mean), rtol=1e-4, atol=1e-7)


def test_what_is_looked_up_is_gauss_newton_of_a_position(tmp_path):
    """Mean of the diagonal of Jᵀ (diag p − p pᵀ) J over the positions, times the rate of each token: in expectation."""
    tracked = track(tiny.tiny_model("llama-untied", dtype=torch.float32))
    fit_factors(tracked, DOCUMENTS * 400, tmp_path, n_documents=2000, n_eigenvalues=5)
    total, n = torch.zeros(tiny.H), 0
    for window in (window for each in DOCUMENTS for window in each.rows()):
        embedded, _, logits = passed(tracked, window)
        for t in (window.targets().nonzero()[0] - 1).tolist():
            p = logits[t].softmax(-1).detach()
            J = torch.stack([torch.autograd.grad(z, embedded, retain_graph=True)[0][0] for z in logits[t]])  # [V, T, H]
            total += torch.einsum("vth,vw,wth->h", J, torch.diag(p) - torch.outer(p, p), J)
        n += max(window.targets().nonzero()[0].tolist(), default=0)
    rates = torch.from_numpy(token_rates(DOCUMENTS, tiny.V).read).float()
    found = load_factors(tmp_path, tracked).embedding[0]
    torch.testing.assert_close(found, torch.outer(rates, total / n), rtol=0.15, atol=0)


def test_a_row_that_the_sample_does_not_meet_has_the_curvature_of_its_rate(tmp_path):
    """What a square for each row lacked: of such a row λ alone decided."""
    tracked = track(tiny.tiny_model(dtype=torch.float32))
    documents = [Row((0, 1, 0, 2)), *[Row((3, 4, 5, 4, 3))] * 30, Row((6, 7, 6, 1))]
    fit_factors(tracked, documents, tmp_path, n_documents=8)
    found = load_factors(tmp_path, tracked)
    assert found.coverage is not None
    assert (found.coverage.rows, found.coverage.met) == (tiny.V, 8)
    assert found.coverage.sampled < 1
    [F] = found.embedding
    assert (F[:8] > 0).all() and (F[8:] == 0).all()
    torch.testing.assert_close(F[0], F[6], rtol=0, atol=0)  # read twice and predicted once, each in one document


def test_how_many_documents_are_fitted_hardly_moves_it(tmp_path):
    """Means over positions: those of a tenth of the documents are near those of all, in every row."""
    tracked, documents = track(tiny.tiny_model(dtype=torch.float32)), tiny.tiny_documents(900, plain=True)
    for n in (90, 900):
        fit_factors(tracked, documents, tmp_path / str(n), n_documents=n, n_eigenvalues=5)
    few, many = (load_factors(tmp_path / str(n), tracked).embedding[0] for n in (90, 900))
    assert float((few / many).min()) > 0.7 and float((few / many).max()) < 1.4


@pytest.mark.parametrize("kind", ["llama", "llama-untied"])
def test_pairs_have_the_squares_of_their_drawn_preference(kind):
    tracked, reference = (track(tiny.tiny_model(kind, seed)) for seed in (0, 1))
    pairs = tiny_pairs.pairs(tracked, reference, 6)
    captured = capture(tracked, pad(pairs, range(6)), torch.Generator().manual_seed(0))
    found, weights = position_squares(tracked, captured), _drawn(pairs, torch.Generator().manual_seed(0))
    read, predicted, n_read, n_predicted = squares_of_pairs(tracked, pairs, weights)
    torch.testing.assert_close(found[READ], torch.cat([read, read.new_tensor([n_read])]))
    torch.testing.assert_close(found[PREDICTED], torch.cat([predicted, read.new_tensor([n_predicted])]))


def squares_of_pairs(tracked, pairs, weights):
    """Σ_s δ_s² and Σ_t |∂L/∂raw logits_t|² h_t² of w (NLL(c) − NLL(r)), and how many positions of each there are."""
    read, predicted, n_read, n_predicted = torch.zeros(tiny.H).double(), torch.zeros(tiny.H).double(), 0, 0
    for pair, w in zip(pairs, weights, strict=True):
        for window, sign in zip(pair.rows(), (1, -1), strict=True):
            embedded, hidden, logits = passed(tracked, window)
            targets = window.targets().nonzero()[0].tolist()
            loss = -sign * w * sum(logits[t - 1].log_softmax(-1)[window.ids[t]] for t in targets)
            [of_rows] = torch.autograd.grad(loss, embedded)
            read += of_rows[0].square().sum(dim=0)
            for t in targets:
                raw = tracked.raw_logits(hidden[t - 1]).detach().requires_grad_()
                [delta] = torch.autograd.grad(sign * w * raw.log_softmax(-1)[window.ids[t]], raw)
                predicted += delta.square().sum() * tracked.head_input(hidden[t - 1]).square()
            n_read, n_predicted = n_read + max(targets), n_predicted + len(targets)
    return read, predicted, n_read, n_predicted


def test_factors_of_an_older_build_tell_no_coverage(tmp_path):
    tracked = track(tiny.tiny_model(dtype=torch.float32))
    fit_factors(tracked, tiny.tiny_documents(), tmp_path)
    manifest = json.loads((tmp_path / MANIFEST).read_text())
    assert manifest.pop("coverage")["rows"] == tiny.V
    (tmp_path / MANIFEST).write_text(json.dumps(manifest))
    assert load_factors(tmp_path, tracked).coverage is None
