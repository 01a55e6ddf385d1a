"""The promises of conversations: the text, ids and masks of transformers, answers alone learnt, and a sandbox that holds."""

import json
import unittest
from pathlib import Path

import numpy as np

from xenarc_runtime import chat, chat_template, tokenizer
from xenarc_runtime.errors import Problem

FIXTURES = Path(__file__).parent.parent / "fixtures"
TALK = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "héllo"}]


def read(kind="qwen-style", template=None):
    made = tokenizer.read(str(FIXTURES / "tokenizers" / kind / "tokenizer.json"))
    made.template = template or made.template
    return made


def learnt(made, ids, mask):
    """The texts of the parts that are learnt."""
    parts = np.split(np.arange(mask.size), np.flatnonzero(np.diff(mask)) + 1)
    return [made.decode(ids[part], special=True) for part in parts if mask[part[0]]]


class Conversations(unittest.TestCase):
    def test_are_what_transformers_makes_of_them(self):
        for case in json.loads((FIXTURES / "chat" / "expected.json").read_text("utf-8")):
            made = read(case["tokenizer"], case["template"])
            variables = {**made.special, "tools": case["record"].get("tools")}
            text, _ = chat_template.compiled(case["template"]).answers(case["record"]["messages"], variables)
            self.assertEqual(text, case["text"])
            ids, mask = chat.format_record(case["record"], made, {"format": "chat"})
            self.assertEqual(ids.tolist(), case["ids"])
            self.assertEqual(mask.tolist(), case["mask"])

    def test_have_answers_that_end_with_the_end_of_the_turn(self):
        made = read()
        ids, mask = chat.format_record({"messages": TALK * 2}, made)
        self.assertEqual(learnt(made, ids, mask), ["héllo<|im_end|>"] * 2)

    def test_may_contain_what_marks_look_like(self):
        template = "{% for m in messages %}{% generation %}{{ m.content }}{% endgeneration %}|{% endfor %}"
        made = read(template=template)
        ids, mask = chat.format_record({"messages": [{"role": "assistant", "content": "\x02a\x03{% generation %}"}]}, made)
        self.assertEqual(made.decode(ids), "\x02a\x03{% generation %}|")
        self.assertEqual(learnt(made, ids, mask), ["\x02a\x03{% generation %}"])

    def test_work_with_bytes(self):
        made = tokenizer.Bytes()
        made.template = "{% for m in messages %}{{ m.role[0] }}:{{ m.content }}\n{% endfor %}{% if add_generation_prompt %}a:{% endif %}"
        ids, mask = chat.format_record({"messages": TALK}, made)
        self.assertEqual((made.decode(ids), learnt(made, ids, mask)), ("u:hi\na:héllo\n", ["héllo\n"]))


class Completions(unittest.TestCase):
    record = {"prompt": "Q: é?\nA:", "completion": " naïve 🙂"}

    def test_are_learnt_to_their_end(self):
        for kind in ("qwen-style", "mistral-style"):
            made = read(kind)
            ids, mask = chat.format_record(self.record, made)
            self.assertEqual(ids.tolist(), [*made.encode("Q: é?\nA: naïve 🙂"), made.eos])
            self.assertEqual(made.decode(ids[mask == 1], special=True).strip(), f"naïve 🙂{'<|im_end|>' if kind[0] == 'q' else '</s>'}")
        ids, mask = chat.format_record(self.record, tokenizer.BYTES)
        self.assertEqual(bytes(ids[mask == 1]).decode(), " naïve 🙂")
        self.assertEqual(bytes(ids[mask == 0]).decode(), "Q: é?\nA:")


class Mistakes(unittest.TestCase):
    def problem(self, record, template=None):
        with self.assertRaises(Problem) as caught:
            chat.format_record(record, read(template=template))
        return f"{caught.exception.message} {caught.exception.hint}"

    def test_in_records(self):
        self.assertIn("field `completion` is to be a text; it has: prompt", self.problem({"prompt": "x"}))
        self.assertIn("`prompt` is another thing", self.problem({"prompt": 3, "completion": ""}))
        self.assertIn("`messages` is to be a list of messages", self.problem({"messages": "x"}))
        self.assertIn("Message 2 has no role", self.problem({"messages": [TALK[0], {"content": "x"}]}))
        self.assertIn("no message of the role `assistant`", self.problem({"messages": TALK[:1]}))
        with self.assertRaises(Problem) as caught:
            chat.format_record({"messages": TALK}, read("mistral-style"))
        self.assertIn("has no chat template", caught.exception.message)

    def test_in_templates(self):
        talk = {"messages": TALK}
        for template, said in {
            "a\n{% if %}": "wrong in its line 2",
            "{{ raise_exception('roles must alternate') }}": "refuses the conversation: roles must alternate",
            "{{ no.such }}": "'no' is undefined",
            "{{ messages[0].content + 1 }}": "fails on the conversation (TypeError",
            "{% include '/etc/passwd' %}": "fails on the conversation",
            "{{ messages | length }}": "data.chatTemplate names another file",
        }.items():
            self.assertIn(said, self.problem(talk, template))

    def test_the_sandbox_holds(self):
        talk = {"messages": TALK}
        endless = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
        doubled = "{% set n = namespace(x='aaaaaaaa') %}{% for i in range(90) %}{% set n.x = n.x OP n.x %}{% endfor %}"
        many = "{% set x = 'a' * 99999 %}"
        calls = "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}"
        for template, said in {
            "{{ messages.__class__.__mro__[1].__subclasses__() }}": "access to attribute '__class__'",
            "{{ cycler.__init__.__globals__ }}": "access to attribute '__init__'",
            "{{ messages.append(1) }}": "access to attribute 'append'",
            endless: "takes more than 200,000 steps",
            calls: "takes more than 200,000 steps",
            doubled.replace("OP", "+"): "takes more than 200,000 steps",
            doubled.replace("OP", "~"): "takes more than 200,000 steps",
            "{{ 'a' * 10 ** 9 }}": "takes more than 200,000 steps",
            "{{ 9 ** 9 ** 9 }}{{ 2 ** 100 }}": "very large number with **",
            "{{ 'x'.ljust(10 ** 10) }}": "calls a function with a very large number",
            "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}": "calls itself without end",
            "{{ '%2000000000d' % 1 }}": "formats text with %",
            "{% set f = '%s' * 9 %}{{ f % (1,) }}": "formats text with %",
            "{{ '{:>2000000000}'.format('a') }}": "to a width that is very large",
            "{{ '{:>{w}}'.format('a', w=2000000000 // 2) }}": "very large",
            "{{ '{:>{}}'.format('a', 9 ** 9 // 999) }}": "to a width that is very large, or not known",
            many + "{{ ('{0}' * 1000).format(x) }}": "takes more than 200,000 steps",
            many + "{{ x.replace('a', x) }}": "takes more than 200,000 steps",
            many + "{{ x | replace('a', x) }}": "takes more than 200,000 steps",
            many + "{{ x.join(x) }}": "takes more than 200,000 steps",
            many + "{{ x | join(x) }}": "takes more than 200,000 steps",
            many + "{{ range(99999) | join(x) }}": "takes more than 200,000 steps",
            many + "{{ ([x] * 99999) | string }}": "takes more than 200,000 steps",
            many + "{{ ([x] * 99999) | map('upper') | list }}": "takes more than 200,000 steps",
            many + "{{ ([{'a': x}] * 99999) | map(attribute='a') | join }}": "takes more than 200,000 steps",
            many + "{{ [x] * 99999 }}": "takes more than 200,000 steps",
            many + "{{ {'a': [x] * 99999}.values() }}": "takes more than 200,000 steps",
            many + "{{ ([x] * 99999) | tojson }}": "takes more than 200,000 steps",
            many + "{{ ([1] * 99999) | tojson(indent=x) }}": "takes more than 200,000 steps",
            many + "{{ ('\n' * 99999) | indent(x) }}": "takes more than 200,000 steps",
            many + "{{ ('\n' * 99999) | indent(99999) }}": "takes more than 200,000 steps",
            many + "{% set n = namespace(l=[]) %}{% for i in range(99999) %}{% set n.l = n.l + [x[1:]] %}{% endfor %}": "200,000 steps",
            many + "{% set n = namespace(l=[]) %}{% for i in range(99999) %}{% set n.l = n.l + [x.upper()] %}{% endfor %}": "200,000 steps",
            many + "{% set n = namespace(l=[x] * 99999) %}{{ n }}": "writes a namespace",
            "{% for i in range(99999) %}" + "a" * 999 + "{% endfor %}": "takes more than 200,000 steps",
            "{{ ([[1]] * 9) | sum(start=[]) }}": "joins lists with sum",
            "{% set n = namespace(x=10) %}{% for i in range(9) %}{% set n.x = n.x ** 64 %}{% endfor %}": "very large number with **",
            "{{ 'a'.encode() }}": "access to attribute 'encode'",
            "{{ 'a' | center(2000000000) }}": "No filter named 'center'",
        }.items():
            with self.subTest(template):
                self.assertIn(said, self.problem(talk, template))
        self.assertEqual(TALK[0]["content"], "hi")

    def test_the_sandbox_lets_templates_do_what_they_do(self):
        long = [{**message, "content": f"{message['content']}\n" * 20_000} for message in TALK * 4]
        for template, said in {
            "{{ '{}: {:>3}|{a!r}'.format(1, 'é', a=2) }}": "1:   é|2",
            "{{ [1, {'a': 'é'}] | tojson(indent=2) }}": '[\n  1,\n  {\n    "a": "é"\n  }\n]',
            "{{ {'b': 1, 'a': 2} | tojson(separators=(',', ':'), sort_keys=true) }}": '{"a":2,"b":1}',
            "{{ 7 % 4 }}{{ 'a,b'.split(',') | join('-') }}{{ 'ab' | replace('b', 'c') }}{{ 'a\nb' | indent(2) }}": "3a-baca\n  b",
            "{{ ('x' ~ 1)[1:] }}{{ [1, 2] | sum }}{{ messages | map(attribute='role') | join(' ') }}": "13user assistant",
        }.items():
            self.assertEqual(chat_template.compiled(template).render(TALK, {}), said)
        plain = "{% for m in messages[0:] %}{{ m.role ~ '\n' + m['content'].strip() | replace('x', 'y') }}{% endfor %}"
        self.assertGreater(len(chat_template.compiled(plain).render(long, {})), 10**6 // 2)


if __name__ == "__main__":
    unittest.main()
