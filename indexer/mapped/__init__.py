"""Tables on disk, mapped into memory: what is asked for is read, nothing else is held."""
