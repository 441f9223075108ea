"""What if, as JSON.

{
  "kind": "what_if", "model": name, "generation_id", "prompt", "text",
  "tokens": [{"token_id", "text", "start", "stop", "logp"}],                      K of them, as `ask` has them
  "stage": name of the model whose training would read the texts, "n_train": N of that stage,
  "texts": [{                                                                     in the order in which they were given
      "title", "document_id": of the text, "known": whether that stage was trained on it,
      "text": what its tokens were made from, "n_cut": tokens that training would drop,
      "tokens": [{"text", "start", "stop", "read_in", "learned"}],                T of them, as document_token has them
      "scores": [K] nats, "layer_scores": [[L]] by token, "shares": [[T]] by token    the last two of the texts that
  }],                                                                             weigh most; missing of the others
  "instead_of": {the same of the document as it was trained on} | null,
  "difference": {"scores": [K], "layer_scores": [[L]]} | null,                    texts[0] less instead_of
  "spans": [{"first", "last", "kind": "word" | "answer", "start", "stop",         words in order, the whole answer last
      "scores": [nats of each text], "instead_of": nats | null, "difference": nats | null}],
  "notices": [sentence]
}

Request of the worker: {"kind": "what_if", "folder", "model", "text" (plain, or JSON of a chat as a row of a corpus),
"instead_of"?: document_id, and "generation_id" of a stored answer, or the keys of a prompt as in `ask`}.
Verbatim spans of `ask` and of the table: "verbatim": [{"first", "last", "n_places", "n_documents",
"places": [{"document_id", "token_position"}]}].
"""
