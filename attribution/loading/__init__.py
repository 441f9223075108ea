"""A model as it is brought: found, loaded, merged with its adapter, checked; the tokens around what it reads."""
