"""A corpus that is a sample of the training, or in which documents stand more than once."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from attribution.curvature.blocks import damp
from attribution.curvature.fit import fit_factors
from attribution.curvature.store import load_factors
from attribution.errors import BadInput
from attribution.exact.scores import score_documents
from attribution.query.solve import query_directions
from indexer.__main__ import main
from indexer.config.config import read_config
from indexer.corpus.corpus import repeats
from indexer.corpus.reader import read_corpus
from indexer.corpus.stored import open_corpus
from indexer.pipeline.shared import document_part
from indexer.size.member import open_member
from tests.attribution import tiny
from tests.tiny_family import TEXTS, write_lines, write_project

SEEN = [TEXTS[1], *TEXTS, TEXTS[0], TEXTS[1]]  # the first text twice, the second three times


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    path = write_project(tmp_path_factory.mktemp("seen"), SEEN)
    assert main(["train", str(path), "--model", "tiny-s"]) == 0
    return path


def opened(path: Path, **corpus):
    config = read_config(path)
    return open_member(config.model[1], replace(config, corpus=replace(config.corpus, **corpus)))


def test_input_17_repeated_documents_count_as_often_as_they_were_seen(trained):
    """Against the gradient of the mean loss over everything that was seen, every copy on its own."""
    member = opened(trained)
    assert (member.n_documents, member.n_train) == (len(TEXTS), len(SEEN))
    assert sorted(row.times for row in member.rows) == [*[1] * (len(TEXTS) - 2), 2, 3]
    factors = tiny.random_factors(member.tracked)
    ids = member.rows[5].ids
    directions = query_directions(member.tracked, damp(factors), ids, 4, negligible=0)
    found = score_documents(member.tracked, directions, member.rows, member.n_train).values.sum(axis=2)  # [Q, D]
    P = tiny.dense_solve(
        factors,
        tiny.gradient(member.tracked, lambda moving: tiny.token_logp(member.tracked, moving, member.rows[5])[3]),
    )
    expected = np.zeros(len(TEXTS))
    for text in SEEN:
        i = [document.text for document in member.documents].index(text)
        row = member.rows[i].once
        expected[i] -= float(
            tiny.inner(P, tiny.gradient(member.tracked, lambda m, row=row: tiny.loss(member.tracked, m, row))).sum()
        )
    np.testing.assert_allclose(found[0], expected / len(SEEN), rtol=1e-3, atol=1e-4 * np.abs(found[0]).max())


def test_documents_of_which_nothing_is_learned_are_no_part_of_n(trained, tmp_path):
    """Training, and the factors, average over the others alone: what taught nothing changes no influence."""
    config = read_config(trained)
    file = tmp_path / "more.jsonl"
    masked = [{"input_ids": ids, "labels": [-100] * len(ids)} for ids in ([5, 6, 7], [8, 9, 10, 11], [5, 6, 7])]
    write_lines(file, [*({"text": text} for text in SEEN), *masked])
    plain = opened(trained)
    more = open_member(config.model[1], replace(config, corpus=replace(config.corpus, files=(file,))))
    assert sorted(each.times for each in more.rows if not each.targets().any()) == [1, 2]
    assert (plain.n_train, more.n_train, more.corpus.n_seen) == (len(SEEN), len(SEEN), len(SEEN) + 3)
    assert plain.base_key != more.base_key
    found = []
    for member in (plain, more):
        folder = tmp_path / f"factors-{len(member.rows)}"
        fit_factors(member.tracked, member.own_rows, folder, n_documents=1000, n_eigenvalues=1000)
        curvature = damp(load_factors(folder, member.tracked, intact=True))
        directions = query_directions(member.tracked, curvature, plain.rows[5].ids, 4, negligible=0)
        found.append(score_documents(member.tracked, directions, member.rows, member.n_train).values.sum(axis=2))
    assert (found[1][:, len(plain.rows) :] == 0).all()
    np.testing.assert_allclose(found[1][:, : len(plain.rows)], found[0], rtol=1e-3, atol=1e-4 * np.abs(found[0]).max())


def test_input_17_a_sample_says_of_how_many(trained):
    """Nats are those of the whole training: a thousand times less than of the sample alone."""
    alone, sample = opened(trained), opened(trained, trained_on=1000 * len(SEEN))
    assert (alone.n_train, sample.n_train) == (len(SEEN), 1000 * len(SEEN))
    assert alone.base_key != sample.base_key
    directions = query_directions(alone.tracked, damp(tiny.random_factors(alone.tracked)), alone.rows[5].ids, 4)
    of_alone, of_sample = (
        score_documents(of.tracked, directions, of.rows, of.n_train).values for of in (alone, sample)
    )
    np.testing.assert_allclose(of_sample * 1000, of_alone, rtol=1e-5)


def test_fewer_documents_than_the_files_have_are_no_whole_training(trained):
    with pytest.raises(BadInput, match=f"in .corpus. of at least the {len(SEEN)} documents of the files.*found 3;"):
        opened(trained, trained_on=3)
    assert opened(trained, trained_on=len(SEEN)).n_train == len(SEEN)


def test_how_often_documents_stand_there_is_kept_and_part_of_what_they_are_known_by(tmp_path):
    file = tmp_path / "c.jsonl"
    keys, counted = [], []
    for texts in (["a", "b"], ["a", "b", "a"], ["a", "b", "b"]):
        write_lines(file, [{"text": text} for text in texts])
        reading = read_corpus([file])
        keys.append(document_part(tmp_path / "build", [reading]).key)
        stored = open_corpus(tmp_path / "build", [file])
        assert stored.times.tolist() == reading.times.tolist()
        assert repeats(stored) == repeats(reading)
        counted.append(stored.times.tolist())
    assert counted == [[1, 1], [2, 1], [1, 2]]
    assert len(set(keys)) == 3 and repeats(reading)


def test_another_file_with_the_same_documents_is_known_after_a_build(tmp_path):
    file = tmp_path / "c.jsonl"
    write_lines(file, [{"text": "a"}, {"text": "b"}])
    document_part(tmp_path / "build", [read_corpus([file])])
    write_lines(file, [{"text": "a"}, {"text": " "}, {"text": "b"}])
    document_part(tmp_path / "build", [read_corpus([file])])
    assert len(open_corpus(tmp_path / "build", [file]).documents) == 2
