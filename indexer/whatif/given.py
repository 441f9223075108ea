"""EDGE: texts as somebody gives them: typed, in a plain file, or rows of a file as a corpus has them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from attribution.errors import BadInput
from indexer.corpus.document import Document, document_id, storable
from indexer.corpus.reader import read_corpus
from indexer.corpus.turns import structured, shapes_of
from indexer.corpus.typed import typed_row

LONGEST = 1_000_000  # characters of a text
