"""EDGE: importing it makes partitions of the corpus pass small, in a process and in all that it starts from."""

from indexer.processes import child
from indexer.size import corpus_pass
from tests.indexer.engines.nodes import CUT

corpus_pass.DOCUMENTS = CUT
child.LOADED.append(__name__)
