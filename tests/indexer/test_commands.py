"""What a command can do, its command line offers; and what it says when it cannot."""

import inspect
import pickle
from inspect import isfunction

from attribution.errors import BadInput
from indexer import commands
from indexer.__main__ import parser
from indexer.engines.order import Lost


def test_every_parameter_of_a_command_is_an_argument():
    [offered] = [action.choices for action in parser()._actions if action.dest == "command"]
    public = [each for name, each in vars(commands).items() if isfunction(each) and not name.startswith("_")]
    own = [each for each in public if each.__module__ == commands.__name__]
    assert {each.__name__ for each in own} == set(offered)
    for each in own:
        taken = {action.dest for action in offered[each.__name__]._actions} - {"help"}
        assert taken == set(inspect.signature(each).parameters), each.__name__


def test_an_error_is_one_line_whatever_it_quotes():
    error = Lost("expected it to answer, found: Parameter validation failed:\n  Invalid name\r\n")
    assert str(error) == "expected it to answer, found: Parameter validation failed: Invalid name"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301 - as nodes send it
    assert str(BadInput("two  blanks and 'a\\nb' stay")) == "two  blanks and 'a\\nb' stay"
