"""`build`: the stages that turn a corpus and a model family into the published database.

build        all sizes, and publication after each
crew         sizes side by side, a process each
one_size     the stages of one size, in order
other_sizes  what is finished of sizes that were not asked for
shared       what every size needs: documents, prompts, the text index
described    the model, its run and its documents in rows
scores       exact influence of the candidates on every generated token
inside       heads and neurons: what they are, what they did for each answer, what taught them
prompts_only what the prompts did, where no training document is explained
readings     the answers of one size read by another
edition      what the next published database is made of
other_runs   estimators beside the first, each a run of its own
covered      which parameters of a model are explained
report/      what is said at the end: facts, what was skipped, how long it took
"""
