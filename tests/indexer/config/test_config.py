"""The configuration: every key known, every value possible, paths beside the file; it is restored from a database."""

from pathlib import Path

import pytest

from attribution.errors import BadInput
from indexer.config.config import Config, ScoreSettings, described, lineage, read_config, restored

DEMO = Path(__file__).parents[3] / "data/demo/demo.toml"

MINIMAL = """
[corpus]
files = ["corpus.jsonl"]
[[model]]
name = "a"
family = "f"
path = "models/a"
[prompts]
file = "prompts.jsonl"
[output]
folder = "build"
"""


def read(folder: Path, text: str) -> Config:
    path = folder / "x.toml"
    path.write_text(text, encoding="utf-8")
    return read_config(path)


def refused(folder: Path, text: str) -> str:
    with pytest.raises(BadInput) as caught:
        read(folder, text)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_paths_are_beside_the_file_and_the_rest_has_defaults(tmp_path):
    config = read(tmp_path, MINIMAL)
    assert config.corpus.files == (tmp_path / "corpus.jsonl",)
    assert config.prompts.file == tmp_path / "prompts.jsonl"
    assert config.output.folder == tmp_path / "build"
    assert config.scores == ScoreSettings()


def test_a_model_is_a_directory_beside_the_file_or_a_hub_id(tmp_path):
    assert read(tmp_path, MINIMAL).model[0].path == "models/a"  # nothing is there: an id
    (tmp_path / "models/a").mkdir(parents=True)
    assert read(tmp_path, MINIMAL).model[0].path == str(tmp_path / "models/a")


def test_a_model_that_is_to_be_trained_has_its_place(tmp_path):
    config = read(tmp_path, MINIMAL.replace('path = "models/a"', 'path = "models/a"\n[model.recipe]\nhidden = 8'))
    assert config.model[0].path == str(tmp_path / "models/a")
    assert config.model[0].recipe is not None
    assert config.model[0].recipe.hidden == 8


def test_a_fine_tuned_model_alone_has_documents_of_its_own_and_no_corpus(tmp_path):
    tuned = MODEL.replace('path = "models/a"', 'path = "models/a"\nstage = "finetuned"\nfiles = ["c.jsonl"]')
    alone = MINIMAL[MINIMAL.index("[prompts]") :] + tuned
    assert read(tmp_path, alone).corpus.files == ()
    both = alone + MODEL.replace('"a"', '"b"')
    assert "expected at least one file in x.toml, corpus, files" in refused(tmp_path, both)
    assert "expected files for a fine-tuned model" in refused(tmp_path, alone.replace('files = ["c.jsonl"]', ""))


def test_the_demo_is_read():
    config = read_config(DEMO)
    assert [model.name for model in config.model if model.stage == "pretrained"] == ["atlas-s", "atlas-m", "atlas-l"]
    assert all(file.is_file() for file in (*config.corpus.files, config.prompts.file))


def test_what_a_database_keeps_is_the_same_configuration(tmp_path):
    for config in (read(tmp_path, MINIMAL), read_config(DEMO)):
        assert restored(described(config)) == config
    with pytest.raises(BadInput, match="found something else"):
        restored("[corpus]")


def test_a_build_may_go_without_influence(tmp_path):
    assert read(tmp_path, MINIMAL + "[scores]\nmethod = []\n").scores.method == ()


MODEL = MINIMAL[MINIMAL.index("[[model]]") : MINIMAL.index("[prompts]")]


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (
            "[output]",
            "[scores]\ncandidate = 3\n[output]",
            "unknown key 'candidate' in x.toml, scores: did you mean 'candidates'?",
        ),
        ("[corpus]", "[corpsu]", "unknown key 'corpsu' in x.toml: did you mean 'corpus'?"),
        ('path = "models/a"', 'pth = "models/a"', "did you mean 'path'?"),
        ("[prompts]\n", "[prompts]\nmax_tokens = 3\n", "did you mean 'max_new_tokens'?"),
        ('name = "a"\n', "", "expected 'name' in x.toml, model[0]"),
        ('[output]\nfolder = "build"\n', "", "expected 'output' in x.toml"),
        ("[prompts]", MODEL + "[prompts]", "found 'a' twice"),
        (MODEL, "model = []\n", "expected"),
        ('path = "models/a"', 'path = "models/a"\nstage = "tuned"', "expected stage 'pretrained' or 'finetuned'"),
        ('path = "models/a"', 'path = "models/a"\nstage = "finetuned"\nparent = "b"', "found 'b'"),
        (
            'path = "models/a"',
            'path = "models/a"\nstage = "finetuned"\nparent = "a"',
            "from an earlier stage, found 'a'",
        ),
        ('path = "models/a"', 'path = "models/a"\nparent = "a"', "expected stage 'finetuned' for a"),
        ('path = "models/a"', 'path = "models/a"\ntrained_on = 9', "[[model]] a, which has none; put it in [corpus]"),
        ('name = "a"', 'name = "a/b"', "found 'a/b'"),
        ('name = "a"', 'name = ""', "found ''"),
        ('["corpus.jsonl"]', '["corpus.jsonl"]\nwindow = 1', "expected a window of at least 2 tokens, or 0, in x.toml"),
        ('["corpus.jsonl"]', "7", "expected a list"),
        ('["corpus.jsonl"]', "[]", "files"),
        ('["corpus.jsonl"]', '[""]', "expected a path for x.toml, corpus, files[0], found an empty one"),
        ('"prompts.jsonl"', '""', "expected a path for x.toml, prompts, file, found an empty one"),
        ('"build"', '""', "expected a path for x.toml, output, folder, found an empty one"),
        ("[output]", "[scores]\ndamping = -1\n[output]", "damping"),
        ("[output]", "[scores]\ndamping = nan\n[output]", "damping"),
        ("[output]", "[scores]\ncandidates = 0\n[output]", "candidates"),
        ("[output]", "[scores]\ndocuments = 0\n[output]", "documents"),
        ("[output]", "[scores]\nrank = -1\n[output]", "rank"),
        ("[output]", '[scores]\nmethod = "magic"\n[output]', "'magic'"),
        (
            "[output]",
            '[scores]\nmethod = ["ekfac", "ekfac_checkpoints", "ekfac"]\n[output]',
            "expected every method once in x.toml, scores, found 'ekfac' twice",
        ),
        ("[output]", "[factors]\ndocuments = 0\n[output]", "documents"),
        ("[prompts]\n", "[prompts]\nmax_new_tokens = 0\n", "max_new_tokens"),
        ("[prompts]\n", '[prompts]\nsaliency = ["magic"]\n', "found 'magic'"),
        ("[prompts]", "[model.recipe]\nepochs = 0\n[prompts]", "epochs"),
        ("[prompts]", "[model.recipe]\nhidden = 10\nheads = 3\n[prompts]", "heads"),
        ("[prompts]", "[model.recipe]\nvocabulary = 100\n[prompts]", "vocabulary"),
        ("[prompts]", "[model.recipe]\nkeep = [1.5]\n[prompts]", "keep"),
        ("[prompts]", "[model.recipe]\nbatch = 0\n[prompts]", "batch"),
        ("[prompts]", "[model.recipe]\npeak_rate = 0\n[prompts]", "peak_rate"),
    ],
)
def test_what_does_not_fit_is_one_line_with_its_place(tmp_path, before, after, message):
    assert before in MINIMAL
    assert message in refused(tmp_path, MINIMAL.replace(before, after))


def stages(*of: tuple[str, str]) -> str:
    """A model for each (name, parent)."""
    tuned = 'stage = "finetuned"\nparent = "{}"\nfiles = ["{}.jsonl"]\n'
    own = '[[model]]\nname = "{0}"\nfamily = "f"\npath = "models/{0}"\n'
    return "".join(own.format(name) + (tuned.format(parent, name) if parent else "") for name, parent in of)


def test_input_26_any_number_of_stages_of_training_and_none_of_itself(tmp_path):
    config = read(tmp_path, MINIMAL.replace(MODEL, stages(("c", "b"), ("a", ""), ("b", "a"))))
    assert [model.name for model in lineage(config, config.model[0])] == ["a", "b", "c"]
    circle = MINIMAL.replace(MODEL, stages(("a", "c"), ("b", "a"), ("c", "b")))
    assert "expected a parent of a from an earlier stage, found 'a'" in refused(tmp_path, circle)
    before = MINIMAL.replace(MODEL, stages(("a", "b"), ("b", "typo")))  # it is known where the way up is followed, too
    assert "expected the parent of b among the models, found 'typo'" in refused(tmp_path, before)
    beside = MINIMAL.replace(MODEL, stages(("a", "b"), ("b", "c"), ("c", "b")))
    assert "expected a parent of a from an earlier stage, found 'b'" in refused(tmp_path, beside)
    many = MINIMAL.replace(MODEL, stages(("m0", ""), *((f"m{i}", f"m{i - 1}") for i in range(1, 7))))
    assert "at most 5 stages of training" in refused(tmp_path, many)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ("[1.0, 2.0]", "expected 3 checkpoint_weights in x.toml, scores, one for each checkpoint of a and one for"),
        ("[1.0, 2.0, -1.0]", "expected at least 0 for x.toml, scores, checkpoint_weights[2], found -1.0"),
        ("[1.0, nan, 1.0]", "expected at least 0 for x.toml, scores, checkpoint_weights[1]"),
        ("[0, 0, 0]", "expected checkpoint_weights above 0 in x.toml, scores, found none"),
    ],
)
def test_every_checkpoint_and_the_model_itself_have_a_weight(tmp_path, weights, message):
    kept = 'path = "models/{}"\ncheckpoints = ["c/1", "c/2"]'
    chat = stages(("b", "a")).replace('path = "models/b"', kept.format("b"))
    other = stages(("d", ""))  # without checkpoints there is no mean
    text = MINIMAL.replace('path = "models/a"', kept.format("a")) + "[scores]\ncheckpoint_weights = {}\n" + chat + other
    assert read(tmp_path, text.format("[0, 1, 2.5]")).scores.checkpoint_weights == (0.0, 1.0, 2.5)
    assert message in refused(tmp_path, text.format(weights))
    fewer = text.replace(kept.format("b"), kept.format("b").replace(', "c/2"', ""))
    assert read(tmp_path, fewer.format("[0, 1, 2.5]")).model[1].parent == "a"  # of two stages no mean is taken


def test_begin_and_end_tokens_and_the_templates_variables_are_settings(tmp_path):
    text = MINIMAL.replace('path = "models/a"', 'path = "models/a"\nbegin = ""\nend = ["<|im_end|>", "<|end|>"]')
    text = text.replace("[output]", 'template = { enable_thinking = false, tools = ["a"] }\n[output]')
    config = read(tmp_path, text)
    assert (config.model[0].begin, config.model[0].end) == ("", ("<|im_end|>", "<|end|>"))
    assert config.prompts.template == {"enable_thinking": False, "tools": ["a"]}
    assert restored(described(config)) == config
    dated = read(tmp_path, text.replace('tools = ["a"]', "days = [2026-01-31, 2026-01-31T09:30:00Z]"))
    assert dated.prompts.template["days"] == ["2026-01-31", "2026-01-31T09:30:00+00:00"]  # as JSON keeps them
    assert restored(described(dated)) == dated
    assert "a table for x.toml, prompts, template, found 1" in refused(tmp_path, text.replace("{ enable_", "1 #"))
