"""Small changes of a Python file, each the slip of a hand: another comparison, a negation less, a value off by one.

Not changed: annotations, decorators, what is only told to a log, words (texts are for people, and translated).
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

OTHER: dict[type[ast.AST], type[ast.AST]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
}
LOGS = ("log", "logger")
SKIPPED_FIELDS = {"annotation", "returns", "decorator_list", "type_params", "type_comment"}


@dataclass(frozen=True, slots=True)
class Change:
    """`number`: of the node among all that may be changed. `what`: for people. `lines`: where the node stands, then the
    statement that it is in. `names`: of the function or class in which it is, or of what it gives a value to;
    `is_in_function`: whether it has an effect each time that one runs, and none before."""

    number: int
    what: str
    lines: tuple[range, range]
    names: frozenset[str]
    is_in_function: bool

    @property
    def line(self) -> int:
        return self.lines[0].start


@dataclass(frozen=True, slots=True)
class _Place:
    statement: ast.AST
    names: frozenset[str] = frozenset()
    is_in_function: bool = False

    def inside(self, node: ast.AST, field: str) -> "_Place":
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                return _Place(node, self.names | {node.name}, field == "body" or self.is_in_function)
            case ast.Lambda():
                return _Place(self.statement, self.names, True)
            case ast.ClassDef():
                return _Place(node, self.names | {node.name}, self.is_in_function)
            case ast.Assign() | ast.AnnAssign():
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                return _Place(node, self.names | {ast.unparse(each) for each in targets}, self.is_in_function)
            case ast.stmt():
                return _Place(node, self.names, self.is_in_function)
        return self


def changes(source: str) -> list[Change]:
    """All of them, in the order of their lines."""
    tree = ast.parse(source)
    made = [
        Change(number, what, (_lines(node), _lines(place.statement)), place.names, place.is_in_function)
        for number, (node, place) in enumerate(walked(tree, _Place(tree)))
        if (what := _way(node))
    ]
    return sorted(made, key=lambda change: change.line)


def broken(source: str, number: int) -> ast.Module:
    """The whole file after the change of this number, each line where it was."""
    tree = ast.parse(source)
    _break(next(node for at, (node, _) in enumerate(walked(tree, _Place(tree))) if at == number))
    return ast.fix_missing_locations(tree)


def walked(node: ast.AST, place: _Place) -> Iterator[tuple[ast.AST, _Place]]:
    """Every node that may be changed, outer ones first."""
    yield node, place
    for name, value in ast.iter_fields(node):
        if name in SKIPPED_FIELDS:
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not _is_skipped(child):
                yield from walked(child, place.inside(node, name))


def _lines(node: ast.AST) -> range:
    """Of a statement with others in it, those of what it asks or declares alone."""
    if not isinstance(node, ast.stmt | ast.expr):
        return range(1, 1)
    if isinstance(node, ast.If | ast.While):
        return _lines(node.test)
    inner = getattr(node, "body", None)
    end = inner[0].lineno if isinstance(inner, list) and inner else (node.end_lineno or node.lineno) + 1
    return range(node.lineno, max(end, node.lineno + 1))


def _is_skipped(node: ast.AST) -> bool:
    if isinstance(node, ast.If):
        return ast.unparse(node.test) == "TYPE_CHECKING"
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        return ast.unparse(node.value.func).split(".")[0] in LOGS
    # What only tells the type checker something has no other way to be.
    return isinstance(node, ast.Assert | ast.Import | ast.ImportFrom)


def _way(node: ast.AST) -> str:
    """How this node can be broken, in words; "" where it cannot."""
    match node:
        case ast.Compare(ops=[one]) if type(one) in OTHER:
            return f"{ast.unparse(node)}: {type(one).__name__} → {OTHER[type(one)].__name__}"
        case ast.BoolOp(op=op) | ast.BinOp(op=op) if type(op) in OTHER and not _is_of_texts(node):
            return f"{ast.unparse(node)}: {type(op).__name__} → {OTHER[type(op)].__name__}"
        case ast.UnaryOp(op=ast.Not()):
            return f"{ast.unparse(node)}: without not"
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test):
            return f"if {ast.unparse(test)}: the other way round"
        case ast.Return(value=value) if value is not None and not _is_nothing(value):
            return f"{ast.unparse(node)}: returns None"
        case ast.Constant(value=bool() | int() | float() as value):
            return f"{value}: {_next(value)}"
        case ast.Expr(value=ast.Call() as call):
            return f"{ast.unparse(call)}: not called"
        case ast.Raise():
            return f"{ast.unparse(node)}: not raised"
    return ""


def _is_of_texts(node: ast.AST) -> bool:
    """A sum of texts breaks in any way; it would only count a kill that says nothing."""
    return any(isinstance(each, ast.Constant) and isinstance(each.value, str | bytes) for each in ast.walk(node)) and (
        isinstance(node, ast.BinOp)
    )


def _is_nothing(node: ast.AST) -> bool:
    """None, or False, which differs from it for the type checker alone."""
    return isinstance(node, ast.Constant) and (node.value is None or node.value is False)


def _next(value: float) -> float:
    return not value if isinstance(value, bool) else value + 1


def _break(node: ast.AST) -> None:
    match node:
        case ast.Compare(ops=[one]):
            node.ops = [OTHER[type(one)]()]  # type: ignore[list-item]
        case ast.BoolOp(op=op) | ast.BinOp(op=op):
            node.op = OTHER[type(op)]()  # type: ignore[assignment]
        case ast.UnaryOp(operand=operand):
            node.op, node.operand = ast.Not(), ast.UnaryOp(ast.Not(), operand)
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test):
            node.test = ast.UnaryOp(ast.Not(), test)
        case ast.Return():
            node.value = ast.Constant(None)
        case ast.Constant(value=value) if isinstance(value, bool | int | float):
            node.value = _next(value)
        case ast.Expr():
            node.value = ast.Constant(None)
        case ast.Raise():
            node.__class__ = ast.Pass  # type: ignore[assignment]
