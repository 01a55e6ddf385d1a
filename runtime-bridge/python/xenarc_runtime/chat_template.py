"""Chat templates: messages to text, in Jinja's sandbox, and where in the text the answers are.

A template comes with somebody's model. It reaches no attribute that leads out of the values it is given, changes none of
them, and its loops, calls and texts are counted. The functions that templates may use are those of `transformers`, but for
the date: what is trained on does not depend on the day.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from jinja2 import TemplateError, TemplateSyntaxError, nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment, SecurityError
from jinja2.visitor import NodeTransformer

from .errors import Problem, first_lines

Messages = Sequence[Mapping[str, Any]]
Span = tuple[int, int]
"""First character, and the one after the last."""

_STEPS = 200_000
"""Turns of loops, calls, and texts by their length, in the rendering of one conversation."""
_CHARACTERS_A_STEP = 64
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

    intercepted_binops = frozenset({"*", "**", "+"})

    def __init__(self) -> None:
        super().__init__(
            trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, loopcontrols], finalize=self._written
        )
        self.filters |= {"tojson": _to_json, _COUNTED: self._counted, _JOINED: self._joined}
        for name in ("center", "format"):
            del self.filters[name]  # a few characters of them make any amount
        self.globals["raise_exception"] = _raise
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

    def call(self, context: Any, obj: Any, /, *args: Any, **kwargs: Any) -> Any:  # noqa: N805
        self._spend(1)
        if any(isinstance(value, int) and abs(value) > _LARGEST_NUMBER for value in (*args, *kwargs.values())):
            raise SecurityError("it calls a function with a very large number.")
        return super().call(context, obj, *args, **kwargs)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator != "+":
            sizes = [len(value) if isinstance(value, (str, list, tuple)) else abs(value) for value in (left, right)]
            if (sizes[1] > 64 if operator == "**" else sizes[0] * sizes[1] > _LARGEST_NUMBER * _LARGEST_NUMBER):
                raise SecurityError(f"it makes a very large number with {operator}.")
            if any(isinstance(value, (str, list, tuple)) for value in (left, right)):
                self._spend(sizes[0] * sizes[1] // _CHARACTERS_A_STEP)
        return self._weighed(super().call_binop(context, operator, left, right))

    def _spend(self, steps: int) -> None:
        self._left -= steps
        if self._left < 0:
            raise SecurityError(f"it takes more than {_STEPS:,} steps for one conversation.")

    def _weighed(self, value: Any) -> Any:
        if isinstance(value, (str, list, tuple)):
            self._spend(len(value) // _CHARACTERS_A_STEP)
        return value

    def _written(self, value: Any) -> Any:
        return self._weighed(value)

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

    def _joined(self, values: Sequence[Any]) -> str:
        return self._weighed("".join(map(str, values)))


_COUNTED, _JOINED = "_counted", "_joined"


class _Counting(NodeTransformer):
    """Puts the account into a template: around what its loops run over, and in place of `~`."""

    def visit_For(self, node: nodes.For) -> nodes.For:  # noqa: N802 - jinja2's name
        self.generic_visit(node)
        node.iter = nodes.Filter(node.iter, _COUNTED, [], [], None, None, lineno=node.lineno)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Filter:  # noqa: N802
        self.generic_visit(node)
        return nodes.Filter(nodes.List(node.nodes, lineno=node.lineno), _JOINED, [], [], None, None, lineno=node.lineno)


def _to_json(value: Any, **options: Any) -> str:
    """Jinja's own writes for HTML."""
    return json.dumps(value, **{"ensure_ascii": False, **options})


def _raise(message: str) -> None:
    raise TemplateError(message)
