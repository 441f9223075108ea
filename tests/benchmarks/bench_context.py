"""EDGE: seconds of context attribution, Whence against inseq: `python -m tests.benchmarks.bench_context [MODEL]`.

CTI and CCI (gradient norms) with the same model in the same process on one thread, once to warm up and then three
times; the ratio of the medians is printed, for the context-sensitive tokens (inseq's default) and for every token.
Seconds are those of the processor, which other work on the machine does not lengthen. Without inseq only Whence is
timed, and the table says so.
"""

import statistics
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import torch

from attribution.loading.load import LoadedModel, load_model
from attribution.prompt.context.mirage import contrast_contexts

CONTEXT = "Zubra is the capital of Freedonia. It has a famous harbour. Many ships come to the city every summer. " * 3
QUESTION = "The capital of Freedonia is"
ANSWER = " Zubra. It has a famous harbour and many ships."


def main(model: str = "data/demo/models/atlas-m") -> None:
    torch.set_num_threads(1)
    loaded = load_model(model, "cpu")
    wrapped = _inseq(loaded)
    rival = "inseq" if wrapped is None else f"inseq {version('inseq')}"
    print(f"context attribution, {model}, {len(_ids(loaded, ANSWER))} answer tokens")
    print(f"{'tokens':12}{'whence':>10}{rival:>14}{'ratio':>8}")
    for name, deviations in (("sensitive", 1.0), ("all", None)):
        ours = seconds(lambda deviations=deviations: _whence(loaded, deviations))
        line = f"{name:12}{ours:9.3f}s"
        if wrapped is None:
            print(f"{line}   not installed: pip install inseq==0.7.1 beside this torch")
            continue
        theirs = seconds(lambda deviations=deviations: _rival(wrapped, deviations))
        print(f"{line}{theirs:13.3f}s{theirs / ours:7.1f}x")


def seconds(work: Callable[[], object]) -> float:
    work()
    times = []
    for _ in range(3):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return statistics.median(times)


def _whence(loaded: LoadedModel, deviations: float | None) -> object:
    full, bare, answer = (_ids(loaded, text) for text in (f"{CONTEXT} {QUESTION}", QUESTION, ANSWER))
    return contrast_contexts(loaded.model, full, bare, answer, deviations)


def _inseq(loaded: LoadedModel) -> Any:
    try:
        import inseq
    except ImportError:
        return None
    return inseq.load_model(loaded.model, "saliency", tokenizer=loaded.tokenizer)


def _rival(model: Any, deviations: float | None) -> object:
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
        context_sensitivity_std_threshold=-100 if deviations is None else deviations,
        show_viz=False,
    )
    return attribute_context_with_model(asked, model)


def _ids(loaded: LoadedModel, text: str) -> list[int]:
    ids: list[int] = loaded.tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids


if __name__ == "__main__":
    main(*sys.argv[1:2])
