"""What whole groups of documents take: a formula each, of seconds, memory, bytes and rows; pure.

C cells, each as large as the P explained numbers; G groups; Q generated tokens; D documents of T tokens.
"""

from attribution.groups.sums import HELD
from attribution.passes.room import NUMBER
from attribution.schedule import Schedule
from indexer.config.config import Config
from indexer.plan import work as takes
from indexer.plan.exact import n_parts
from indexer.plan.speeds import Speeds
from indexer.plan.work import Work

ROW = 8  # bytes as they lie in the file, about: score and error; the names repeat


def of_cell(work: Work) -> int:
    """Bytes of its gradient."""
    return NUMBER * (work.shapes.entries + work.shapes.looked_up)


def held(work: Work, schedule: Schedule) -> int:
    """Cells that are added up at once."""
    return min(work.n_cells, schedule.share(HELD) // of_cell(work))


def kept(work: Work, config: Config, schedule: Schedule) -> bool:
    """Whether gradients of groups are kept; else the gradient index estimates what they do."""
    return work.n_cells * of_cell(work) <= config.groups.disk * 1e9 and held(work, schedule) > 0


def disk(work: Work, config: Config, schedule: Schedule) -> int:
    """Bytes of the gradients, and of the rows."""
    sums = work.n_cells * of_cell(work) if kept(work, config, schedule) else 0
    return sums + ROW * rows(work)


def rows(work: Work) -> int:
    """Of group_influence."""
    return int(work.n_queries * work.n_groups)


def seconds(work: Work, speeds: Speeds, config: Config, schedule: Schedule) -> float:
    """Tokens of all documents added up, D · T · P, in a pass of their own where the memory does not hold all cells;
    sums turned, C · P · (out + in); each met by every query. Where they are not kept, D · Q estimates are added up."""
    of, tokens = work.shapes, work.n_documents * work.n_tokens
    if not kept(work, config, schedule):
        return work.n_stages * work.n_queries * work.n_documents / speeds.touched
    adding = takes.forming(of, speeds, tokens)
    again = 0.0 if held(work, schedule) == work.n_cells else takes.passing(of, speeds, tokens)
    turning = work.n_cells * sum(s.n * s.entries * (s.n_out + s.n_in) for s in of.linear) / speeds.products
    read = n_parts(work) * work.n_cells * (of.entries + of.looked_up) / speeds.touched
    return adding + again + turning + read + takes.meeting(of, speeds, work.n_queries, work.n_cells)
