"""`build`: the stages that turn a corpus and a model family into the published database, in the order of their files.

pipeline   the order of the stages, and publication after each size
shared     what every size needs: documents, prompts, the text index
member     one size, opened: weights, tokenizer, documents as token ids, factors
factors    EK-FAC factors on a sample of the documents
answers    what the model writes after every prompt
norms      one pass over the corpus: loss, gradient norms, self-influence
candidates which documents are worth an exact score
scores     exact influence of the candidates on every generated token
facts      are the documents that state the answer found?
summary    what was built, and the command that opens it
"""
