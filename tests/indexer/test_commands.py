"""What a command can do, its command line offers."""

import inspect
from inspect import isfunction

from indexer import commands
from indexer.__main__ import parser


def test_every_parameter_of_a_command_is_an_argument():
    [offered] = [action.choices for action in parser()._actions if action.dest == "command"]
    public = [each for name, each in vars(commands).items() if isfunction(each) and not name.startswith("_")]
    own = [each for each in public if each.__module__ == commands.__name__]
    assert {each.__name__ for each in own} == set(offered)
    for each in own:
        taken = {action.dest for action in offered[each.__name__]._actions} - {"help"}
        assert taken == set(inspect.signature(each).parameters), each.__name__
