"""What a model is made of inside its layers: attention heads, key–value heads, neurons, biases, and what each does."""
