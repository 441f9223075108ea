"""What a field of the Selection may say, and how a reader sees it: value -> label, for every field with a list."""

SHADES = {  # what the background of the answer shows
    "strength": "Influence",
    "surprise": "Surprise",
    "confidence": "Confidence",
    "prompt": "Prompt share",
    "plain": "Nothing",
}
SIDES = {"towards": "Push towards", "away": "Push away", "both": "Both"}
OWING_SIDES = {"towards": "Helped most", "away": "Hurt most", "both": "Both"}  # of answers, by a group of documents
HEATS = {"loss_influences": "Heat: by learning", "shares": "Heat: by position"}
EFFECTS = {  # what is shown of each head and neuron
    "total": "Total",
    "direct": "Direct",
    "measured": "Measured",
    "taught": "Training influence",
}
CONTRASTS = {"no": "Why this token", "yes": "Why not the prompt's foil"}
MATCHES = {"word": "the word", "prefix": "the beginning of a word", "literal": "the token", "regex": "the pattern"}
PLACES = {"answers": "in the answers", "documents": "in their ten best documents"}
KINDS = {  # of answers on Runs
    "right": "Right",
    "wrong": "Wrong",
    "sizes": "Sizes disagree",
    "estimators": "Estimators disagree",
    "verbatim": "Word for word in training",
    "new": "Not word for word",
    "most": "Owes most to the group",
}
ARRANGED = {  # what the rows of Runs come by
    "": "Topic, then prompt",
    "prompt": "Prompt",
    "answer": "Answer",
    "certainty": "Certainty of the answer",
    "share": "Share from the prompt",
    "newest": "Newest first",
}
# of MIRAGE: the authors' code sums cues as they are; by shares every token speaks alike; inseq turns the divergence
# round and cuts cues otherwise
PRESETS = {"paper": "As published", "shares": "Every token alike", "inseq": "As in inseq"}
ORDERS = {  # of Corpus: what is looked at first
    "helpful": "Most influential",
    "self_influence": "Self-influence",
    "harm": "Harm to a set",
    "relabel": "Best relabelling",
}
UNITS = {"word": "By word", "answer": "By whole answer", "token": "By token"}  # Corpus: what a document sways
TEXTS = {"own": "Each size's own answer", "same": "All sizes on one text"}
