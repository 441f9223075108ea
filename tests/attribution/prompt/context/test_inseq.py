"""Equal to inseq 0.7's context attribution on the same ids. Needs inseq, which is not installed by `make setup`."""

import pytest
import torch

from attribution.loading.load import load_model
from attribution.prompt.context.mirage import contrast_contexts

CONTEXT = "Zubra is the capital of Freedonia."
QUESTION = "The capital of Freedonia is"
ANSWER = " Zubra."


@pytest.fixture(scope="module")
def loaded():
    pytest.importorskip("inseq", reason="inseq is not installed: `pip install inseq==0.7.1` beside this torch")
    return load_model("data/demo/models/atlas-m", "cpu")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_context_attribution_equals_inseq(loaded):
    import inseq
    from inseq.commands.attribute_context.attribute_context import attribute_context_with_model
    from inseq.commands.attribute_context.attribute_context_args import AttributeContextArgs

    asked = AttributeContextArgs(
        model_name_or_path="loaded already",
        input_context_text=CONTEXT,
        input_current_text=QUESTION,
        output_current_text=ANSWER,
        input_template="{context} {current}",
        output_template="{current}",
        contextless_input_current_text="{current}",
        decoder_input_output_separator="",
        attribution_method="saliency",
        attributed_fn="contrast_logits_diff",  # a difference of logits is a difference of log p
        attribution_aggregators=["vnorm"],
        context_sensitivity_std_threshold=-100,  # every token
        show_viz=False,
    )
    theirs = attribute_context_with_model(asked, inseq.load_model(loaded.model, "saliency", tokenizer=loaded.tokenizer))

    def ids(text):
        return loaded.tokenizer(text, add_special_tokens=False)["input_ids"]

    answer = ids(ANSWER)
    ours = contrast_contexts(loaded.model, ids(f"{CONTEXT} {QUESTION}"), ids(QUESTION), answer)
    torch.testing.assert_close(ours.cti_reversed.tolist(), theirs.cti_scores, atol=1e-5, rtol=1e-5)
    compared = 0
    for found in theirs.cci_scores:
        k = found.cti_idx
        foil = loaded.tokenizer.convert_ids_to_tokens(ours.foil_ids[k])
        if ours.foil_ids[k] == answer[k] or foil != found.contrast_token:
            continue  # no contrast, or a foil that re-tokenisation changed
        scores = torch.tensor(found.input_context_scores)
        torch.testing.assert_close(ours.cci_norm[k, : len(scores)], scores, atol=1e-4, rtol=1e-4)
        compared += 1
    assert compared >= 1
