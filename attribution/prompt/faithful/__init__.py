"""How far an attribution of the prompt agrees with what the model does."""
