"""Chat templates: messages to text, in Jinja's sandbox, and where in the text the answers are.

A template comes with somebody's model. It reaches no attribute that leads out of the values it is given, changes none of
them, and its loops, calls, lists and texts are counted; what may become much larger than what it is made of, before it is made. The functions that templates may use are those of `transformers`, but for
the date: what is trained on does not depend on the day.
"""

from __future__ import annotations

import json
import re
import secrets
import string
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache, wraps
from typing import Any

from jinja2 import TemplateError, TemplateSyntaxError, nodes, pass_context
from jinja2.ext import Extension, loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment, SecurityError
from jinja2.utils import Namespace
from jinja2.visitor import NodeTransformer

from .errors import Problem, first_lines

Messages = Sequence[Mapping[str, Any]]
Span = tuple[int, int]
"""First character, and the one after the last."""

_STEPS = 200_000
"""Turns of loops, calls, and texts and lists by their length, in the rendering of one conversation."""
_CHARACTERS_A_STEP = 64
_CHARACTERS_AN_ELEMENT = 8
"""What a list takes."""
_LARGEST_NUMBER = 1_000_000


@cache
def compiled(text: str) -> ChatTemplate:
    """The template of a text; the same for the same text. Raises Problem where it is no Jinja."""
    return ChatTemplate(text)


class ChatTemplate:
    """A template, ready to render."""

    def __init__(self, text: str) -> None:
        self._environment = _Environment()
        try:
            tree = _Counting().visit(self._environment.parse(text)).set_environment(self._environment)
            code = self._environment.compile(tree)
            self._marks_answers = any(True for _ in tree.find_all(nodes.CallBlock) if _.call.node.name == _MARK)
        except TemplateSyntaxError as error:
            raise Problem("chat_template", f"The chat template is wrong in its line {error.lineno}: {error.message}.") from None
        self._template = self._environment.template_class.from_code(
            self._environment, code, self._environment.make_globals(None)
        )

    def render(self, messages: Messages, variables: Mapping[str, Any], answer_next: bool = False) -> str:
        """The text of a conversation; `variables` are the special tokens. With `answer_next`, up to where the next answer begins."""
        text, _ = self._marked(messages, variables, answer_next)
        return text

    def answers(self, messages: Messages, variables: Mapping[str, Any]) -> tuple[str, list[Span]]:
        """The text of a conversation, and what of it the assistant says, the end of its turn included.

        That is what stands between `{% generation %}` and `{% endgeneration %}`, or, in a template without, what the
        message adds to the text of those before it.
        """
        text, spans = self._marked(messages, variables, False)
        if self._marks_answers:
            return text, spans
        return text, [
            self._added(text, messages, number, variables)
            for number, message in enumerate(messages)
            if message.get("role") == "assistant"
        ]

    def _added(self, text: str, messages: Messages, number: int, variables: Mapping[str, Any]) -> Span:
        before = self.render(messages[:number], variables, True)
        after = self.render(messages[: number + 1], variables)
        if not (text.startswith(before) and text.startswith(after) and len(before) < len(after)):
            raise Problem(
                "data_record",
                f"What the chat template makes of message {number + 1} depends on other messages, so where the answer is"
                " cannot be told.",
                "Mark answers in the template: {% generation %}...{% endgeneration %}; data.chatTemplate names another file.",
            )
        end, ends_turn = len(after), variables.get("eos_token")
        # What stands between two turns is nobody's.
        if ends_turn and after.rstrip().endswith(ends_turn):
            end = len(after.rstrip())
        return len(before), end

    def _marked(self, messages: Messages, variables: Mapping[str, Any], answer_next: bool) -> tuple[str, list[Span]]:
        environment = self._environment
        environment.begin()
        try:
            marked = self._template.render(**variables, messages=messages, add_generation_prompt=answer_next)
        except Problem:
            raise
        except SecurityError as error:
            raise Problem("data_record", f"The chat template does what it may not: {first_lines(str(error), 1)}") from None
        except RecursionError:
            raise Problem("data_record", "The chat template calls itself without end.") from None
        except MemoryError:
            raise Problem("data_record", "The chat template makes more text than there is memory for.") from None
        except TemplateError as error:
            raise Problem("data_record", f"The chat template refuses the conversation: {error.message}.") from None
        except Exception as error:  # whatever its expressions may raise
            said = f"{type(error).__name__}: {first_lines(str(error), 1)}"
            raise Problem("data_record", f"The chat template fails on the conversation ({said}).") from None
        return environment.spans_of(marked)


_MARK = "_mark"


class _Generation(Extension):
    """`{% generation %}`: what is between is an answer."""

    tags = {"generation"}

    def parse(self, parser: Any) -> nodes.Node:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.CallBlock(self.call_method(_MARK), [], [], body).set_lineno(line)

    def _mark(self, caller: Callable[[], str]) -> str:
        begin, end = self.environment.marks
        return f"{begin}{caller()}{end}"


class _Environment(ImmutableSandboxedEnvironment):
    """The sandbox, with an account of what is done in it."""

    intercepted_binops = frozenset({"*", "**", "+", "%"})

    def __init__(self) -> None:
        # What is computed while a template is compiled is in the account of no conversation: nothing is.
        super().__init__(
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=[_Generation, loopcontrols],
            finalize=self._written,
            optimized=False,
        )
        filters = {**self.filters, "tojson": _to_json, _JOINED: _joined}
        self.filters = {name: self._accounted(name, made) for name, made in filters.items() if name not in _NO_FILTERS}
        self.filters |= {_COUNTED: self._counted, _WEIGHED: self._weighed}
        self.globals["raise_exception"] = _raise
        del self.globals["lipsum"]
        self.begin()

    def begin(self) -> None:
        """Another rendering begins."""
        self._left = _STEPS
        # No message can have these: they are drawn after it was written.
        secret = secrets.token_hex(8)
        self.marks = (f"\x02{secret}", f"\x03{secret}")

    def spans_of(self, marked: str) -> tuple[str, list[Span]]:
        """A text without its marks, and what was between each pair."""
        begin, end = self.marks
        first, *rest = marked.split(begin)
        text, spans = first, []
        for part in rest:
            inside, _, outside = part.partition(end)
            spans.append((len(text), len(text) + len(inside)))
            text += inside + outside
        return text, spans

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        return attr not in _NO_METHODS and super().is_safe_attribute(obj, attr, value)

    def call(self, context: Any, obj: Any, /, *args: Any, **kwargs: Any) -> Any:  # noqa: N805
        self._spend(1)
        if any(isinstance(value, int) and abs(value) > _LARGEST_NUMBER for value in (*args, *kwargs.values())):
            raise SecurityError("it calls a function with a very large number.")
        # The sandbox has put a function of its own in the place of `format`.
        method = getattr(obj, "__wrapped__", obj)
        if isinstance(getattr(method, "__self__", None), str) and method.__name__ in _METHODS:
            args = tuple(map(self._at_hand, args))
            self._spend(_METHODS[method.__name__](method.__self__, *args, **kwargs) // _CHARACTERS_A_STEP)
        return self._weighed(super().call(context, obj, *args, **kwargs))

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "%" and isinstance(left, (str, bytes)):
            raise SecurityError("it formats text with %.")
        if operator == "**" and isinstance(left, int) and left.bit_length() * right > 64:
            raise SecurityError("it makes a very large number with **.")
        if operator == "*":
            sizes = [_length(value) if isinstance(value, _SIZED) else abs(value) for value in (left, right)]
            if sizes[0] * sizes[1] > _LARGEST_NUMBER * _LARGEST_NUMBER:
                raise SecurityError("it makes a very large number with *.")
            if any(isinstance(value, _SIZED) for value in (left, right)):
                self._spend(sizes[0] * sizes[1] // _CHARACTERS_A_STEP)
        return self._weighed(super().call_binop(context, operator, left, right))

    def _spend(self, steps: int) -> None:
        self._left -= steps
        if self._left < 0:
            raise SecurityError(f"it takes more than {_STEPS:,} steps for one conversation.")

    def _weighed(self, value: Any) -> Any:
        if isinstance(value, _SIZED):
            self._spend(_length(value) // _CHARACTERS_A_STEP)
        return value

    @pass_context  # so that nothing is written while a template is compiled
    def _written(self, _: Any, value: Any) -> Any:
        self._spend(_text_length(value) // _CHARACTERS_A_STEP)
        return value

    def _accounted(self, name: str, made: Callable[..., Any]) -> Callable[..., Any]:
        """A filter whose result is spent, and, where it makes text, what it makes it of."""
        passed = int(hasattr(made, "jinja_pass_arg"))

        @wraps(made)
        def accounted(*args: Any, **kwargs: Any) -> Any:
            if name not in _FILTERS_OF_LISTS:
                args = tuple(map(self._at_hand, args))
                self._spend(_text_length([args[passed:], kwargs]) // _CHARACTERS_A_STEP)
            if name in _FILTERS:
                self._spend(_FILTERS[name](*args[passed:], **kwargs) // _CHARACTERS_A_STEP)
            return self._weighed(made(*args, **kwargs))

        return accounted

    def _at_hand(self, value: Any) -> Any:
        """What comes one by one, as a list: then it can be told how much it is."""
        return list(self._one_by_one(value)) if hasattr(value, "__next__") else value

    def _counted(self, values: Any) -> Any:
        """What a loop runs over."""
        if hasattr(values, "__len__"):
            self._spend(len(values))
            return values
        return self._one_by_one(values)

    def _one_by_one(self, values: Iterable[Any]) -> Iterator[Any]:
        for value in values:
            self._spend(1)
            yield value


_SIZED = (str, bytes, list, tuple)


def _length(value: Any) -> int:
    """Of a text or a list alone, without what is in the list."""
    return len(value) * (1 if isinstance(value, (str, bytes)) else _CHARACTERS_AN_ELEMENT)


def _text_length(value: Any) -> int:
    """About how long a value is as text, or more than can be spent: what stands in lists many times counts as often."""
    if isinstance(value, str):
        return len(value)
    length, waiting = 0, [value]
    while waiting and length <= _STEPS * _CHARACTERS_A_STEP:
        value = waiting.pop()
        if isinstance(value, Namespace):
            raise SecurityError("it writes a namespace.")
        if isinstance(value, Mapping):
            value = [*value, *value.values()]
        elif isinstance(value, Collection) and not isinstance(value, (*_SIZED, range)):
            value = list(value)
        if isinstance(value, _SIZED):
            length += _length(value)
        if isinstance(value, (list, tuple)):
            waiting.extend(value)
    return length


def _replaced(text: Any, old: Any, new: Any, *_: Any, **__: Any) -> int:
    return len(str(text)) + str(text).count(str(old)) * len(str(new))


def _between(values: Any, separator: Any = "", *_: Any, **__: Any) -> int:
    return len(values) * len(str(separator)) if hasattr(values, "__len__") else 0


def _indented(text: Any, width: Any = 4, *_: Any, **__: Any) -> int:
    return (1 + str(text).count("\n")) * (width if isinstance(width, int) else len(width))


def _nested(value: Any, ensure_ascii: bool = False, indent: Any = None, separators: Any = None, sort_keys: bool = False) -> int:
    width = (indent if isinstance(indent, int) else len(indent or "")) + sum(map(len, separators or ()))
    depths, waiting = 0, [(value, 1)]
    while waiting and width:
        value, depth = waiting.pop()
        inner = list(value.values()) if isinstance(value, Mapping) else value
        if isinstance(inner, (list, tuple)):
            depths += depth * len(inner)
            waiting.extend((each, depth + 1) for each in inner)
    return depths * width


def _summed(values: Any, attribute: Any = None, start: Any = 0) -> int:
    if not isinstance(start, (int, float)):
        raise SecurityError("it joins lists with sum.")
    return 0


def _formatted(text: str, *args: Any, **kwargs: Any) -> int:
    specs = [spec for _, name, spec, _ in string.Formatter().parse(text) if name is not None]
    if any(re.search(r"\{|\d{4}", spec) for spec in specs):
        raise SecurityError("it formats text to a width that is very large, or not known.")
    return len(specs) * (1000 * any(specs) + _text_length([args, kwargs]))


_FILTERS: dict[str, Callable[..., int]] = {
    "indent": _indented,
    "join": _between,
    "replace": _replaced,
    "sum": _summed,
    "tojson": _nested,
}
_METHODS: dict[str, Callable[..., int]] = {
    "format": _formatted,
    "format_map": _formatted,
    "join": lambda separator, values: _text_length(values) + _between(values, separator),
    "replace": _replaced,
}
"""How many characters filters, and methods of texts, may make besides those that they are given."""
_FILTERS_OF_LISTS = frozenset(
    "abs attr count d default dictsort first float groupby int items last length list map max min random reject rejectattr reverse"
    " select selectattr sort unique".split()
)
"""These make no text: in lists, elements alone are counted."""
_NO_FILTERS = frozenset(("batch", "center", "format", "pprint", "round", "slice", "urlize", "wordwrap"))
_NO_METHODS = frozenset(("encode", "expandtabs", "to_bytes", "translate"))
"""A few characters make any amount with these."""

_COUNTED, _JOINED, _WEIGHED = "_counted", "_joined", "_weighed"


def _joined(values: Sequence[Any]) -> str:
    return "".join(map(str, values))


class _Counting(NodeTransformer):
    """Puts the account into a template: around what its loops run over, slices and its own text, and in place of `~`."""

    def visit_For(self, node: nodes.For) -> nodes.For:  # noqa: N802 - jinja2's name
        self.generic_visit(node)
        node.iter = _filtered(node.iter, _COUNTED)
        return node

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Expr:  # noqa: N802
        self.generic_visit(node)
        return _filtered(node, _WEIGHED) if isinstance(node.arg, nodes.Slice) else node

    def visit_TemplateData(self, node: nodes.TemplateData) -> nodes.Const:  # noqa: N802
        return nodes.Const(node.data, lineno=node.lineno)

    def visit_Concat(self, node: nodes.Concat) -> nodes.Filter:  # noqa: N802
        self.generic_visit(node)
        return _filtered(nodes.List(node.nodes, lineno=node.lineno), _JOINED)


def _filtered(node: nodes.Expr, name: str) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)


def _to_json(value: Any, ensure_ascii: bool = False, indent: Any = None, separators: Any = None, sort_keys: bool = False) -> str:
    """Jinja's own writes for HTML."""
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def _raise(message: str) -> None:
    raise TemplateError(message)
