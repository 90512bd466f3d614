"""What keeps moto's writes quick: it parses, copies, walks and measures far more than a write needs."""

import copy
from collections import deque
from functools import cache, lru_cache, wraps
from threading import local
from typing import Any, Final

_KEPT_EXPRESSIONS: Final = 4096
_LARGEST_ITEM: Final = 405_000  # octets, as moto has it


def write_sooner() -> None:
    """Change moto in this process: in the tests, too. Twice changes nothing."""
    _parse_each_expression_once()
    _copy_trees_plainly()
    _walk_trees_plainly()
    _parse_a_condition_once()
    _measure_what_is_new()


def _parse_each_expression_once() -> None:
    """An update's expression is parsed twice a call, and is the same in each of its kind; moto changes only copies."""
    from moto.dynamodb.parsing import expressions  # noqa: PLC0415 - the other backend's environment has no moto

    module: Any = expressions
    parser = module.UpdateExpressionParser
    if not hasattr(parser.make, "cache_info"):
        parser.make = lru_cache(_KEPT_EXPRESSIONS)(parser.make)


def _copy_trees_plainly() -> None:
    """The copy of an expression: a node's own fields, and its children's copies. No node is there twice."""
    from moto.dynamodb.parsing import ast_nodes  # noqa: PLC0415 - the other backend's environment has no moto

    module: Any = ast_nodes
    nodes = (module.Node,)

    def copied(self: Any, memo: dict[int, Any]) -> Any:
        made = object.__new__(type(self))
        vars(made).update(vars(self), parent=None)
        if self.children is not None:
            made.children = [
                copied(child, memo) if _first_kind(type(child), nodes) else child for child in self.children
            ]
            for child in made.children:
                if _first_kind(type(child), nodes):
                    child.parent = made
        return made

    module.Node.__deepcopy__ = copied


def _walk_trees_plainly() -> None:
    """moto asks of each node, ten times an update, what the walk is about, and abstract classes who is whose."""
    from moto.dynamodb.parsing import ast_nodes  # noqa: PLC0415 - the other backend's environment has no moto

    module: Any = ast_nodes
    nodes = (module.Node,)
    above_clauses = (module.Expression, module.UpdateExpressionFunction)

    def traverse(self: Any, root: Any) -> Any:
        wanted = self._processing_map()
        kinds = tuple(wanted)

        def walk(at: Any, place: int) -> Any:
            if not _first_kind(type(at), nodes):
                return at
            parent = at.parent
            for i, child in enumerate(at.children or ()):
                self.pre_processing_of_child(at, i)
                walk(child, i)
            kind = _first_kind(type(at), kinds)
            if kind is not None:
                at = wanted[kind](at)
                at.parent = parent
                if parent:
                    parent.children[place] = at
            return at

        return walk(root, -1)

    def find_clauses(self: Any, kinds: Any) -> list[Any]:
        found: list[Any] = []
        for child in self.children or ():
            if type(child) in kinds:
                found.append(child)
            elif _first_kind(type(child), above_clauses):
                found.extend(find_clauses(child, kinds))
        return found

    module.DepthFirstTraverser.traverse, module.Node.find_clauses = traverse, find_clauses


def _first_of(kind: type, kinds: tuple[type, ...]) -> type | None:
    return next((one for one in kinds if issubclass(kind, one)), None)


_first_kind: Any = cache(_first_of)


def _parse_a_condition_once() -> None:
    """A write's condition is parsed to see what is wrong with it, and once more to be used; its words stay the same."""
    from moto.dynamodb import comparisons  # noqa: PLC0415 - the other backend's environment has no moto

    parser: Any = comparisons.ConditionExpressionParser
    parse, words = parser.parse, parser._lex_condition_expression
    if hasattr(parse, "__wrapped__"):
        return

    @lru_cache(_KEPT_EXPRESSIONS)
    def words_of(expression: str) -> tuple[Any, ...]:
        return tuple(words(parser(expression, None, None)))

    last = local()

    @wraps(parse)
    def parse_once(self: Any) -> Any:
        asked = (self.condition_expression, self.expression_attribute_names, self.expression_attribute_values)
        if getattr(last, "asked", None) != asked:
            op = parse(self)
            last.asked, last.op = copy.deepcopy(asked), op
            last.found = (list(self.expr_attr_names_found), list(self.expr_attr_values_found))
            return op
        names, values = last.found
        self.expr_attr_names_found.extend(names)
        self.expr_attr_values_found.extend(values)
        return last.op

    parser.parse = parse_once
    parser._lex_condition_expression = lambda self: deque(words_of(self.condition_expression))


def _measure_what_is_new() -> None:
    """moto measures all that an item holds for each attribute that comes to it: as far as it fits, that is once."""
    from moto.dynamodb.models import dynamo_type  # noqa: PLC0415 - the other backend's environment has no moto

    module: Any = dynamo_type
    limited, measured = module.LimitedSizeDict, module.DynamoType
    set_and_measure = limited.__setitem__
    if hasattr(set_and_measure, "__wrapped__"):
        return

    def size(part: Any) -> int:
        return int(part.size() if type(part) is measured else module.bytesize(str(part)))

    @wraps(set_and_measure)
    def set_item(self: Any, key: str, value: Any) -> None:
        before = getattr(self, "most", None)  # octets: never less than it holds
        if before is None:
            before = sum(size(name) + size(held) for name, held in self.items())
        self.most = before + size(key) + size(value)
        if self.most > _LARGEST_ITEM:
            set_and_measure(self, key, value)
        else:
            dict.__setitem__(self, key, value)

    limited.__setitem__ = set_item
