"""What is read from outside: the training documents and the prompts."""
