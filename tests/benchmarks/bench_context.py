"""EDGE: seconds of context attribution, Whence against inseq: `python -m tests.benchmarks.bench_context [MODEL]`.

Both explain every answer token (CTI and CCI, gradient norms) with the same model in the same process, once to warm up
and then three times; the ratio of the medians is printed. Without inseq only Whence is timed, and the table says so.
"""

import statistics
import sys
import time
from collections.abc import Callable
from importlib.metadata import version

from attribution.model import LoadedModel, load_model
from attribution.prompt.mirage import contrast_contexts

CONTEXT = "Zubra is the capital of Freedonia. It has a famous harbour. Many ships come to the city every summer. " * 3
QUESTION = "The capital of Freedonia is"
ANSWER = " Zubra. It has a famous harbour and many ships."


def main(model: str = "data/demo/models/atlas-m") -> None:
    loaded = load_model(model, "cpu")
    ours = seconds(lambda: whence(loaded))
    print(f"context attribution, {model}, {len(_ids(loaded, ANSWER))} answer tokens")
    print(f"whence     {ours:8.3f} s")
    try:
        import inseq
    except ImportError:
        print("inseq       not installed: pip install inseq==0.7.1 beside this torch, then run this again")
        return
    wrapped = inseq.load_model(loaded.model, "saliency", tokenizer=loaded.tokenizer)
    theirs = seconds(lambda: rival(wrapped))
    print(f"inseq {version('inseq')} {theirs:6.3f} s\nratio      {theirs / ours:8.1f} x")


def seconds(work: Callable[[], object]) -> float:
    work()
    times = []
    for _ in range(3):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def whence(loaded: LoadedModel) -> object:
    full, bare, answer = (_ids(loaded, text) for text in (f"{CONTEXT} {QUESTION}", QUESTION, ANSWER))
    return contrast_contexts(loaded.model, full, bare, answer)


def rival(model: object) -> object:
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
        attributed_fn="contrast_logits_diff",
        attribution_aggregators=["vnorm"],
        context_sensitivity_std_threshold=-100,
        show_viz=False,
    )
    return attribute_context_with_model(asked, model)


def _ids(loaded: LoadedModel, text: str) -> list[int]:
    ids: list[int] = loaded.tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids


if __name__ == "__main__":
    main(*sys.argv[1:2])
