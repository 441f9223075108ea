"""`build`: the stages that turn a corpus and a model family into the published database, in the order of their files.

pipeline   all sizes, and publication after each
crew       sizes side by side, a process each
size       the stages of one size, in order
shared     what every size needs: documents, prompts, the text index
member     one size, opened: weights, tokenizer, documents as token ids, factors
factors    EK-FAC factors on a sample of the documents
answers    what the model writes after every prompt
prompt_share  what the prompt did for every generated token
norms      one pass over the corpus: loss, gradient norms, self-influence
candidates which documents are worth an exact score
ranking    which scored pairs are kept
explain    exact influence, from queries to kept documents
terms      a score as a sum of inner products: training stages, checkpoints
heat       where in a document its influence comes from
scores     exact influence of the candidates on every generated token
facts      are the documents that state the answer found?
summary    what was built, and the command that opens it
"""
