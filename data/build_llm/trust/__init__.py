"""How far attributions of a fine-tuned language model can be trusted: it is trained again on halves."""
