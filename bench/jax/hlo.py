"""What an optimized HLO text moves through memory in one run. XLA's own cost analysis counts a loop's body once, however
often it runs, which would make a scanned program look smaller than the same program unrolled."""

import math
import re
from dataclasses import dataclass

_COMPUTATION = re.compile(r"^(ENTRY )?%?([\w.-]+) \(.*\{$")
_INSTRUCTION = re.compile(r"^\s*(ROOT )?%?([\w.-]+) = (.*?) ([\w-]+)\((.*)$")
_ARRAY = re.compile(r"(\w+)\[([\d,]*)\]")
_TRIPS = re.compile(r'"known_trip_count":\{"n":"(\d+)"\}')
_BYTES = {"pred": 1, "bf16": 2, "token": 0}

# These give another name or view to bytes that are already there.
_FREE = {"parameter", "constant", "tuple", "get-tuple-element", "bitcast", "after-all", "while", "call", "conditional"}


@dataclass
class Instruction:
    name: str
    opcode: str
    size: int
    operands: list[str]
    text: str
    root: bool


def _size(shape: str) -> int:
    """Bytes of a type such as `f32[2,3]{1,0}`, or of all parts of a tuple."""

    def part(dtype: str, sizes: str) -> int:
        width = _BYTES.get(dtype, int(re.sub(r"\D.*", "", dtype.lstrip("suf")) or 8) // 8)
        return width * math.prod(int(n) for n in sizes.split(",") if n)

    return sum(part(*array) for array in _ARRAY.findall(shape))


def _parse(text: str) -> tuple[str, dict[str, list[Instruction]]]:
    """The entry computation's name, and the instructions of every computation."""
    entry, computations, current = "", {}, []
    for line in text.splitlines():
        if header := _COMPUTATION.match(line):
            current = computations[header[2]] = []
            entry = header[2] if header[1] else entry
        elif found := _INSTRUCTION.match(line):
            root, name, shape, opcode, rest = found.groups()
            operands = re.findall(r"%([\w.-]+)", rest.partition(")")[0])
            current.append(Instruction(name, opcode, _size(shape), operands, rest, bool(root)))
    return entry, computations


def _called(instruction: Instruction, *attributes: str) -> list[str]:
    return [name for a in attributes for name in re.findall(rf"\b{a}=%?([\w.-]+)", instruction.text)]


def _traffic(instruction: Instruction, sizes: dict[str, int], computations: dict[str, list[Instruction]]) -> int:
    """Bytes that one instruction reads and writes. Of an array that is only sliced, or updated in place, the slice."""
    if instruction.opcode == "fusion":
        body = computations[_called(instruction, "calls")[0]]
        inner = {i.name: i for i in body}
        uses: dict[str, list[Instruction]] = {}
        for i in body:
            for operand in i.operands:
                uses.setdefault(operand, []).append(i)
        total = 0
        for parameter in (i for i in body if i.opcode == "parameter"):
            users = uses.get(parameter.name, [])
            slices = [i.size for i in users if i.opcode in ("dynamic-slice", "gather") and i.operands[0] == parameter.name]
            updated = [i for i in users if i.opcode == "dynamic-update-slice" and i.operands[0] == parameter.name]
            total += sum(slices) if len(slices) + len(updated) == len(users) else parameter.size
        root = next(i for i in body if i.root)
        written = inner[root.operands[1]].size if root.opcode == "dynamic-update-slice" else instruction.size
        return total + written
    if instruction.opcode in ("dynamic-slice", "gather"):
        return 2 * instruction.size
    if instruction.opcode == "dynamic-update-slice":
        return 2 * sizes.get(instruction.operands[1], 0)
    return instruction.size + sum(sizes.get(operand, 0) for operand in instruction.operands)


def moves(text: str) -> dict[str, int]:
    """Bytes read and written, and transposes and copies with the bytes they write, all as often as they run.

    A transpose inside a fusion is counted like one that stands alone: it decides the order in which the fusion reads."""
    entry, computations = _parse(text)
    counts = {"bytes": 0, "transposes": 0, "transposeBytes": 0, "copies": 0, "copyBytes": 0}

    def count_moves(instruction: Instruction, times: int) -> None:
        for opcode, number, size in (("transpose", "transposes", "transposeBytes"), ("copy", "copies", "copyBytes")):
            if instruction.opcode == opcode:
                counts[number] += times
                counts[size] += times * instruction.size

    def visit(name: str, times: int) -> None:
        body = computations[name]
        sizes = {i.name: i.size for i in body}
        for i in body:
            count_moves(i, times)
            if i.opcode not in _FREE:
                counts["bytes"] += times * _traffic(i, sizes, computations)
            if i.opcode == "fusion":
                for inner in computations[_called(i, "calls")[0]]:
                    count_moves(inner, times)
            elif i.opcode == "while":
                trips = _TRIPS.search(i.text)
                for inner in _called(i, "body", "condition"):
                    visit(inner, times * (int(trips[1]) if trips else 1))
            elif i.opcode in ("call", "conditional"):
                for inner in _called(i, "to_apply", "true_computation", "false_computation"):
                    visit(inner, times)

    visit(entry, 1)
    return counts
