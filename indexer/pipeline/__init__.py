"""`build`: the stages that turn a corpus and a model family into the published database.

build        all sizes, and publication after each
crew         sizes side by side, a process each
one_size     the stages of one size, in order
other_sizes  what is finished of sizes that were not asked for
shared       what every size needs: documents, prompts, the text index
described    the model, its run and its documents in rows
scores       exact influence of the candidates on every generated token
prompts_only what the prompts did, where no training document is explained
readings     the answers of one size read by another
edition      what the next published database is made of
facts        are the documents that state the answer found?
skipped      what was left out, and why
summary      what was built, and the command that opens it
"""
