"""What a model was trained on, as it was trained: how a document was rendered, what was learned, in which windows."""
