"""The mathematics: influence of training documents, and what the prompt did, on tensors."""
