"""Memory that a pass over documents takes, counted from shapes before it is made: pure."""

NUMBER = 4  # bytes
TABLES = 4  # of every two places of a document: of a layer's inputs, of its gradients, and of an embedding's rows


def bytes_of_token(read: int, written: int, vocabulary: int) -> int:
    """That a pass keeps of a token, about: what every layer reads and its gradient, what it writes with its gradient
    and with what is made of it, and three numbers of every vocabulary entry.

    read, written: numbers of a token that all layers read, layers that read the same counted once, and write
    """
    return NUMBER * (2 * read + 3 * written + 3 * vocabulary)


def bytes_of_document(of_token: int, places: int) -> int:
    """Of one document that is passed alone.    places: of all of its windows, which stand side by side"""
    return of_token * places + TABLES * NUMBER * places**2
