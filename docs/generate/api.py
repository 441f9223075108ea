"""The Python API: public functions and classes with their docstrings, a page for each room. Pure.

Read from the source, so that neither torch nor a model is needed; what begins with an underscore is nobody's business.
"""

import ast
import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from docs.generate.markdown import docstring, escaped

TITLES = {  # in the order in which a reader meets them
    "whence": "whence: a database from Python",
    "attribution": "Sign, scale, errors",
    "attribution-loading": "Models as they are brought",
    "attribution-model": "Models and what they read",
    "attribution-trained": "What a model was trained on",
    "attribution-passes": "Passes",
    "attribution-curvature": "Curvature",
    "attribution-exact": "Exact influence",
    "attribution-components": "Heads and neurons",
    "attribution-groups": "Whole groups",
    "attribution-index": "The gradient index",
    "attribution-truth": "What influence is held against",
    "attribution-prompt": "What the prompt did",
}


@dataclass(frozen=True)
class Entry:
    """A public function, method or class of a module."""

    name: str
    signature: str  # as it is written, without its body
    doc: str
    members: tuple["Entry", ...] = ()


def room(module: str) -> str:
    """attribution.prompt.saliency.saliency -> attribution-prompt; whence.database -> whence."""
    top, *rest = module.split(".")
    return f"{top}-{rest[0]}" if top == "attribution" and len(rest) > 1 else top


def pages(sources: Mapping[str, str]) -> dict[str, str]:
    """Room -> its page, for modules by their dotted names."""
    rooms: dict[str, list[str]] = {}
    for module in sorted(sources):
        rooms.setdefault(room(module), []).append(module)
    made = {}
    for name in [*TITLES, *sorted(set(rooms) - set(TITLES))]:
        parts = [_module(module, sources[module]) for module in rooms.get(name, [])]
        shown = "\n".join(part for part in parts if part)
        made[name] = f"# {TITLES.get(name, name)}\n\n" + (shown or "Nothing is here in this version.\n")
    return made


def _module(name: str, source: str) -> str:
    tree = ast.parse(source)
    found = list(entries(tree))
    doc = ast.get_docstring(tree)
    if not found:
        return ""
    shown = [_shown(entry, "###") for entry in found]
    return "\n".join([f"## {name}\n", docstring(doc) if doc else "", *shown])


def entries(tree: ast.Module | ast.ClassDef) -> Iterator[Entry]:
    """Public functions and classes of a module, or public methods of a class that say what they do."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            doc = ast.get_docstring(node) or ""
            if isinstance(node, ast.ClassDef):
                methods = tuple(entry for entry in entries(node) if entry.doc)
                yield Entry(node.name, _class(node), doc, methods)
            elif not _overload(node):
                yield Entry(node.name, _function(node), doc)


def _overload(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(ast.unparse(each).endswith("overload") for each in node.decorator_list)


def _function(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    arguments = ast.unparse(node.args)
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    line = f"{node.name}({arguments}){returns}"
    if len(line) <= 96:
        return line
    return f"{node.name}(\n{_indented(node.args)}){returns}"


def _indented(arguments: ast.arguments) -> str:
    """One argument a line, as `name: type = default`."""
    plain = [*arguments.posonlyargs, *arguments.args]
    defaults: list[ast.expr | None] = [None] * (len(plain) - len(arguments.defaults)) + list(arguments.defaults)
    lines = [_argument(each, given) for each, given in zip(plain, defaults, strict=True)]
    if arguments.vararg:
        lines.append("*" + _argument(arguments.vararg, None))
    elif arguments.kwonlyargs:
        lines.append("*")
    lines += [_argument(each, value) for each, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)]
    if arguments.kwarg:
        lines.append("**" + _argument(arguments.kwarg, None))
    return "".join(f"    {line},\n" for line in lines)


def _argument(argument: ast.arg, default: ast.expr | None) -> str:
    kind = f": {ast.unparse(argument.annotation)}" if argument.annotation else ""
    return f"{argument.arg}{kind}" + (f" = {ast.unparse(default)}" if default else "")


def _class(node: ast.ClassDef) -> str:
    """Its name and bases, and the fields of a dataclass."""
    bases = f"({', '.join(ast.unparse(base) for base in node.bases)})" if node.bases else ""
    fields = [ast.unparse(each) for each in node.body if isinstance(each, ast.AnnAssign)]
    return "\n".join([f"class {node.name}{bases}", *(f"    {field}" for field in fields)])


def _shown(entry: Entry, level: str) -> str:
    parts = [f"{level} {escaped(entry.name)}\n", f"```python\n{entry.signature}\n```\n"]
    if entry.doc:
        parts.append(docstring(inspect.cleandoc(entry.doc)))
    return "\n".join(parts + [_shown(member, level + "#") for member in entry.members])
