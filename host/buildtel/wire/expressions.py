"""Evaluates HCL2 expressions as far as the template alone allows.

An expression has several possible values where it has a condition. What only Packer knows (a variable without a
value, a function not listed here, buildtel's own names) stays a `Symbol`; in a text it stands as `${…}`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain, islice, product

import hcl2
from lark import Token, Tree
from lark.exceptions import LarkError

from buildtel.wire.functions import FUNCTIONS, UNKNOWN
from buildtel.wire.value import MAX_TEXT, Symbol, Value, elements, text

MAX_ALTERNATIVES = 32
_MAX_NAMES = 50

_HEREDOC = re.compile(r"<<-?\s*([\w.-]+)\r?\n(.*?)\s*\1\s*", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_COMMENT = re.compile(r"(?:#|//)[^\n]*|/\*.*?\*/", re.DOTALL)
_NAME = re.compile(r"(?<![\w.-])(?:var|local)\.[A-Za-z_][\w-]*")


@dataclass(frozen=True)
class Scope:
    """The values that names refer to.

    `names` has the expressions of `local.NAME` and `var.NAME`; `known` has values that need no look-up; `iterators`
    the values of a `dynamic` block's or a `for` expression's own names.
    """

    names: Mapping[str, str]
    known: Mapping[str, Value] = field(default_factory=dict)
    iterators: Mapping[str, Value] = field(default_factory=dict)
    followed: tuple[str, ...] = ()
    found: dict[str, tuple[Value, ...]] = field(default_factory=dict)

    def within(self, **iterators: Value) -> Scope:
        """The same scope inside of a block or `for` that has names of its own."""
        return Scope(self.names, self.known, {**self.iterators, **iterators}, self.followed, self.found)

    def without_variables(self) -> Scope:
        """The same scope without variables: a user may set each of them to another value."""
        names = {name: text for name, text in self.names.items() if not name.startswith("var.")}
        return Scope(names, self.known, self.iterators, self.followed)

    def with_known(self, known: Mapping[str, Value]) -> Scope:
        """The same scope with more values that need no look-up."""
        return Scope(self.names, {**self.known, **known}, self.iterators, self.followed)

    def values(self, expression: str | None) -> tuple[Value, ...]:
        """Every value that an expression can have here."""
        return values(expression, self)

    def look_up(self, name: str) -> tuple[Value, ...]:
        """The possible values of `local.NAME` or `var.NAME`."""
        if name in self.known:
            return (self.known[name],)
        if name not in self.names or name in self.followed or len(self.followed) >= _MAX_NAMES:
            return (Symbol(name),)
        if name not in self.found:
            outside = Scope(self.names, self.known, {}, (*self.followed, name), self.found)
            self.found[name] = values(self.names[name], outside)
        return self.found[name]


def values(expression: str | None, scope: Scope) -> tuple[Value, ...]:
    """Every value that an expression can have, at most `MAX_ALTERNATIVES`; none for None.

    Args:
        expression: HCL2 text, None for an attribute that is absent.
        scope: the variables and locals of the template.
    """
    if expression is None:
        return ()
    try:
        tree = _tree(expression)
        if tree is None:
            return (Symbol(expression),)
        return _distinct(_Reading(f"_ = {expression}\n", scope).values(tree))
    except RecursionError:
        return (Symbol(expression),)


def names(expression: str) -> Iterator[str]:
    """The `var.NAME` and `local.NAME` that an expression refers to; such words inside of a string do not count."""
    heredoc = _HEREDOC.fullmatch(expression)
    if heredoc:
        yield from chain.from_iterable(names(inner) for inner in _interpolated(heredoc[2]))
        return
    for inner in _interpolated(expression):
        yield from names(inner)
    yield from _NAME.findall(_COMMENT.sub(" ", _STRING.sub('""', _without_interpolations(expression))))


def _interpolated(template: str) -> Iterator[str]:
    """The expressions in the `${…}` and `%{…}` of a text."""
    for start, end in _spans(template):
        yield template[start + 2 : end - 1]


def _without_interpolations(template: str) -> str:
    parts, last = [], 0
    for start, end in _spans(template):
        parts.append(template[last:start])
        last = end
    return "".join((*parts, template[last:]))


def _spans(template: str) -> Iterator[tuple[int, int]]:
    """Where each outermost `${…}` begins and ends; `$${` is not one."""
    position = 0
    while found := re.compile(r"(?<!\$)\$\{|(?<!%)%\{").search(template, position):
        depth, end = 1, found.end()
        while depth and end < len(template):
            depth += {"{": 1, "}": -1}.get(template[end], 0)
            end += 1
        yield found.start(), end
        position = end


@lru_cache(maxsize=4096)
def _tree(expression: str) -> Tree[Token] | None:
    """The parse tree of one expression, None if the text is not one."""
    try:
        whole = hcl2.parses_to_tree(f"_ = {expression}\n")
    except LarkError:
        return None
    (body,) = whole.children
    attribute = body.children[0] if isinstance(body, Tree) else None
    value = attribute.children[-1] if isinstance(attribute, Tree) else None
    return value if isinstance(value, Tree) else None


def _distinct(found: Iterable[Value]) -> tuple[Value, ...]:
    kept: list[Value] = []
    for value in found:
        if value not in kept:
            kept.append(value)
        if len(kept) == MAX_ALTERNATIVES:
            break
    return tuple(kept)


def _trees(tree: Tree[Token]) -> list[Tree[Token]]:
    return [child for child in tree.children if isinstance(child, Tree) and child.data != "new_line_or_comment"]


class _Reading:
    """One expression being read: its text, and the scope of its names."""

    def __init__(self, source: str, scope: Scope) -> None:
        self.source = source
        self.scope = scope

    def values(self, tree: Tree[Token]) -> tuple[Value, ...]:
        """Every value of a node."""
        read = _READERS.get(tree.data)
        return (self.symbol(tree),) if read is None else _distinct(read(self, tree))

    def symbol(self, tree: Tree[Token]) -> Symbol:
        """A node whose value is its own text."""
        return Symbol(self.of(tree))

    def of(self, tree: Tree[Token]) -> str:
        """A node's text in the file."""
        return "" if tree.meta.empty else self.source[tree.meta.start_pos : tree.meta.end_pos].strip()

    def combinations(self, trees: Iterable[Tree[Token]]) -> Iterator[tuple[Value, ...]]:
        """Each way to give every node one of its values."""
        return islice(product(*(self.values(tree) for tree in trees)), MAX_ALTERNATIVES)

    def term(self, tree: Tree[Token]) -> tuple[Value, ...]:
        """A term, in parentheses or not."""
        return self.values(_trees(tree)[0])

    def literal(self, tree: Tree[Token]) -> tuple[Value, ...]:
        """`true`, `false`, `null`."""
        return ({"true": True, "false": False}.get(self.of(tree)),)

    def number(self, tree: Tree[Token]) -> tuple[Value, ...]:
        """A whole number; another one as its text."""
        digits = self.of(tree)
        return (int(digits) if re.fullmatch(r"-?\d{1,18}", digits) else digits,)

    def string(self, tree: Tree[Token]) -> tuple[Value, ...]:
        """A quoted text; one `${…}` alone is the value itself."""
        parts = [part.children[0] for part in _trees(tree) if part.data == "string_part"]
        inner = [_trees(part)[0] for part in parts if isinstance(part, Tree) and part.data == "interpolation"]
        if len(parts) == 1 and inner:
            return self.values(inner[0])
        pieces = [self.part(part) for part in parts]
        return tuple(map(self.joined, islice(product(*pieces), MAX_ALTERNATIVES)))

    def part(self, part: Tree[Token] | Token) -> tuple[Value, ...]:
        """A piece of a quoted text: words, or the values of an interpolation."""
        if isinstance(part, Token):
            return (str(part),)
        return self.values(_trees(part)[0]) if part.data == "interpolation" else (self.of(part),)

    def joined(self, pieces: Iterable[Value]) -> Value:
        """One text of several pieces; beyond `MAX_TEXT` unknown."""
        whole = "".join(map(text, pieces))
        return whole if len(whole) <= MAX_TEXT else Symbol("…")

    def heredoc(self, tree: Tree[Token]) -> tuple[Value, ...]:
        """A text of several lines."""
        found = _HEREDOC.fullmatch(self.of(tree))
        if found is None:
            return (self.symbol(tree),)
        body, pieces, last = found[2], [], 0
        for start, end in _spans(body):
            inner = body[start + 2 : end - 1]
            pieces += [(body[last:start],), values(inner, self.scope) if body[start] == "$" else (body[start:end],)]
            last = end
        pieces.append((body[last:],))
        return tuple(map(self.joined, islice(product(*pieces), MAX_ALTERNATIVES)))

    def conditional(self, tree: Tree[Token]) -> tuple[Value, ...]:
        """Both branches, unless the condition is known whatever the variables are."""
        condition, yes, no = _trees(tree)
        known = _Reading(self.source, self.scope.without_variables()).values(condition)
        chosen = [yes] if known == (True,) else [no] if known == (False,) else [yes, no]
        return tuple(chain.from_iterable(map(self.values, chosen)))

    def sequence(self, tree: Tree[Token]) -> tuple[Value, ...]:
        """`[a, b]`."""
        return tuple(self.combinations(_trees(tree)))

    def object(self, tree: Tree[Token]) -> tuple[Value, ...]:
        """`{ a = b }`."""
        pairs = [_trees(element) for element in _trees(tree)]
        keys = [self.key(key) for key, _ in pairs]
        return tuple(dict(zip(keys, found, strict=True)) for found in self.combinations(value for _, value in pairs))

    def key(self, tree: Tree[Token]) -> str:
        """An object's key: a bare word is a text."""
        word = self.of(tree)
        if re.fullmatch(r"[\w-]+", word):
            return word
        return text(self.values(_trees(tree)[0])[0])

    def name(self, tree: Tree[Token]) -> tuple[Value, ...]:
        """A name that stands alone: an iterator's, or unknown."""
        word = self.of(tree)
        return (self.scope.iterators.get(word, Symbol(word)),)

    def attribute(self, tree: Tree[Token]) -> tuple[Value, ...]:
        """`a.b`."""
        dotted = self.of(tree)
        if re.fullmatch(r"(?:local|var)\.[\w-]+", dotted):
            return self.scope.look_up(dotted)
        owner, step = _trees(tree)
        return self.picked(tree, owner, (self.of(step).lstrip(". "),))

    def index(self, tree: Tree[Token]) -> tuple[Value, ...]:
        """`a[b]`, `a.0`."""
        owner, step = _trees(tree)
        if step.data == "braces_index":
            return self.picked(tree, owner, self.values(_trees(step)[0]))
        return self.picked(tree, owner, (self.of(step).lstrip(". "),))

    def picked(self, whole: Tree[Token], owner: Tree[Token], keys: Iterable[Value]) -> tuple[Value, ...]:
        """One element of each possible owner."""
        return tuple(self.element(whole, found, key) for found in self.values(owner) for key in keys)

    def element(self, whole: Tree[Token], owner: Value, key: Value) -> Value:
        """One element, unknown if the owner does not have it."""
        if isinstance(owner, Mapping):
            return owner.get(text(key), self.symbol(whole))
        if isinstance(owner, tuple) and text(key).isdecimal() and int(text(key)) < len(owner):
            return owner[int(text(key))]
        return self.symbol(whole)

    def call(self, tree: Tree[Token]) -> tuple[Value, ...]:
        """A function, if it is one of `FUNCTIONS` and its arguments say enough."""
        function, *rest = _trees(tree)
        apply = FUNCTIONS.get(self.of(function))
        if apply is None:
            return (self.symbol(tree),)
        arguments = _trees(rest[0]) if rest else []
        found = (apply(*given) for given in self.combinations(arguments))
        return tuple(self.symbol(tree) if value is UNKNOWN else value for value in found)

    def each(self, tree: Tree[Token]) -> tuple[Value, ...]:
        """`[for v in list : expression]`, `{for k, v in map : key => value}`; a condition takes nothing away."""
        intro, *results = [child for child in _trees(tree) if child.data != "for_cond"]
        *variables, collection = _trees(intro)
        made: list[list[Value]] = []
        for owner in self.values(collection):
            if not isinstance(owner, (tuple, Mapping)):
                return (self.symbol(tree),)
            made.append([])
            for key, value in elements(owner):
                pair = {self.of(variables[0]): key} if len(variables) > 1 else {}
                inner = _Reading(self.source, self.scope.within(**pair, **{self.of(variables[-1]): value}))
                made[-1] += islice(inner.results(results), 1)
        if len(results) == 1:
            return tuple(map(tuple, made))
        return tuple({text(pair[0]): pair[1] for pair in pairs if isinstance(pair, tuple)} for pairs in made)

    def results(self, results: list[Tree[Token]]) -> Iterator[Value]:
        """The value, or key and value, of one turn of a `for`."""
        return (found[0] if len(found) == 1 else found for found in self.combinations(results))


_READERS: Mapping[str, Callable[[_Reading, Tree[Token]], tuple[Value, ...]]] = {
    "expr_term": _Reading.term,
    "literal_value": _Reading.literal,
    "int_lit": _Reading.number,
    "float_lit": _Reading.number,
    "string": _Reading.string,
    "heredoc_template": _Reading.heredoc,
    "heredoc_template_trim": _Reading.heredoc,
    "conditional": _Reading.conditional,
    "tuple": _Reading.sequence,
    "object": _Reading.object,
    "identifier": _Reading.name,
    "get_attr_expr_term": _Reading.attribute,
    "index_expr_term": _Reading.index,
    "function_call": _Reading.call,
    "for_tuple_expr": _Reading.each,
    "for_object_expr": _Reading.each,
}
