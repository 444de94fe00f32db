"""The model's rules as C++: functions of restricted Python, put over one by one.

Rules are scalar code: arithmetic, comparisons, loops over numbers, records, arrays. So
each is written once, and the plain C++ program cannot be another model. What is not put
over is how time passes: `native/loop.cpp` has an event loop and customers of its own.
"""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from enum import IntEnum
from typing import Any, NamedTuple, get_args, get_origin, get_type_hints

import numpy as np

from churnsim.engines import entries
from churnsim.engines.kernel import arrivals, back, closing, content, door, front, world

ROOTS: tuple[Callable[..., Any], ...] = (
    arrivals.arrive,
    arrivals.consider,
    content.be_content,
    door.turn_up,
    door.enter_front_door,
    door.end_hoop,
    door.give_up,
    front.join_front,
    front.end_handling,
    front.meet_promise,
    back.join_back,
    back.end_approval,
    back.end_repair,
    closing.depart,
    closing.finish,
    entries.add_up,
    world.set_moment,
)
BY_HAND = {"split", "power_of_two", "word"}  # in loop.cpp
NOT_NEEDED = {"call_up"}  # asks for rows ahead of time
OF_CUSTOMERS = ("life", "counts", "codes", "queue", "money")  # fields of the world
COLUMNS: dict[str, type[IntEnum]] = {
    "life": world.Life,
    "counts": world.Count,
    "codes": world.Code,
}
SCALARS = {float: "double", int: "int64_t", bool: "bool", type(None): "void"}
ITEMS: dict[Any, str] = {
    np.float64: "double",
    np.int64: "int64_t",
    np.int32: "int32_t",
    np.int8: "int8_t",
    np.uint8: "uint8_t",
}
KEYWORDS = {"double", "new", "register", "default", "switch", "case", "this", "union"}
OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.BitAnd: "&",
    ast.BitOr: "|",
    ast.BitXor: "^",
    ast.LShift: "<<",
    ast.RShift: ">>",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.USub: "-",
    ast.Not: "!",
}
CASTS = {"int": "static_cast<int64_t>", "float": "static_cast<double>", "bool": "bool"}


def is_record(kind: Any) -> bool:
    """Return whether a type is a named tuple."""
    return (
        isinstance(kind, type) and issubclass(kind, tuple) and hasattr(kind, "_fields")
    )


def item_of(kind: Any) -> type:
    """Return the numpy type of an array's items."""
    item: type = get_args(get_args(kind)[1])[0]
    return item


def fields_of(record: Any) -> dict[str, Any]:
    """Return the types of a record's fields that C++ keeps, by name."""
    hints = get_type_hints(record)
    skipped = OF_CUSTOMERS if record is world.World else ()
    return {name: hints[name] for name in record._fields if name not in skipped}


def c_type(kind: Any) -> str:
    """Return a type's name in C++."""
    if kind in SCALARS:
        return SCALARS[kind]
    if is_record(kind):
        return str(kind.__name__)
    if get_origin(kind) is np.ndarray:
        return f"Array<{ITEMS[item_of(kind)]}>"
    if get_origin(kind) is tuple:
        if Ellipsis in get_args(kind):
            return "const double*"
        parts = ", ".join(c_type(part) for part in get_args(kind))
        return f"std::tuple<{parts}>"
    raise TypeError(f"no type of C++ for {kind}")


def c_name(name: str) -> str:
    """Return a name that C++ allows."""
    return f"{name}_" if name in KEYWORDS else name


def c_number(value: float) -> str:
    """Return a number as it is written in C++, to the last bit."""
    if isinstance(value, int):
        return f"INT64_C({int(value)})"
    text = repr(abs(float(value)))
    text = {"inf": "HUGE_VAL", "nan": "double(NAN)"}.get(text, text)
    return f"(-{text})" if value < 0.0 else text


class Unit(NamedTuple):
    """What has been put over so far, each in the order of use."""

    records: dict[str, str]
    tables: dict[str, str]
    heads: dict[str, str]
    bodies: dict[str, str]


def declare(unit: Unit, kind: Any) -> None:
    """Put a record over, after those that it holds."""
    for part in get_args(kind) if get_origin(kind) is tuple else ():
        declare(unit, part)
    if not is_record(kind) or kind.__name__ in unit.records:
        return
    fields = fields_of(kind)
    for field in fields.values():
        declare(unit, field)
    lines = [f"    {c_type(t)} {c_name(name)};" for name, t in fields.items()]
    if kind is world.World:
        lines.append("    Customer* customers;")
    unit.records[kind.__name__] = "\n".join(
        [f"struct {kind.__name__} {{", *lines, "};"]
    )


def customer_record() -> str:
    """Return a customer as a struct, in the order of the kernel's columns."""
    hints = get_type_hints(world.World)
    items = {name: item_of(hints[name]) for name in COLUMNS}
    places = [
        (
            np.dtype(items[name]).itemsize * column.value,
            f"    {ITEMS[items[name]]} {column.name.lower()};",
        )
        for name, columns in COLUMNS.items()
        for column in columns
    ]
    return "\n".join(["struct Customer {", *(line for _, line in sorted(places)), "};"])


def model_source() -> str:
    """Return the rules of the model as C++."""
    unit = Unit({}, {}, {}, {})
    for root in ROOTS:
        put_over(unit, root)
    phases = ", ".join(f"{phase.name} = {phase.value}" for phase in world.Phase)
    parts = [
        f"enum Phase {{ {phases} }};",
        customer_record(),
        *unit.records.values(),
        *unit.tables.values(),
        *unit.heads.values(),
        *unit.bodies.values(),
    ]
    return "\n\n".join(parts) + "\n"


def put_over(unit: Unit, function: Callable[..., Any]) -> None:
    """Put a function over, and all that it calls.

    Raises:
        ValueError: It uses what this does not know.
    """
    name = function.__name__
    if name in BY_HAND or name in unit.heads:
        return
    hints = get_type_hints(function)
    for kind in hints.values():
        declare(unit, kind)
    returned = c_type(hints.pop("return"))
    given = ", ".join(
        f"const {c_type(t)}& {c_name(n)}"
        if is_record(t)
        else f"{c_type(t)} {c_name(n)}"
        for n, t in hints.items()
    )
    head = f"static inline {returned} fn_{name}({given})"
    unit.heads[name] = f"{head};"
    (node,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    if not isinstance(node, ast.FunctionDef):
        raise ValueError(f"{name} is not a function")
    body = [] if name in NOT_NEEDED else Translation(unit, function, node).lines()
    unit.bodies[name] = "\n".join([f"{head} {{", *body, "}"])


def elementary(
    target: ast.expr, value: ast.expr
) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Yield the assignments that one of a tuple to a tuple consists of."""
    if not (isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple)):
        yield target, value
        return
    names: set[str] = set()
    for one, other in zip(target.elts, value.elts, strict=True):
        used = {n.id for n in ast.walk(other) if isinstance(n, ast.Name)}
        if names & used:
            raise ValueError(f"assigned and used at once: {names & used}")
        if isinstance(one, ast.Name):
            names.add(one.id)
        yield one, other


def is_chain(node: ast.expr) -> bool:
    """Return whether an expression names a field: a.b.c, or one of two."""
    if isinstance(node, ast.IfExp):
        return is_chain(node.body) and is_chain(node.orelse)
    while isinstance(node, ast.Attribute):
        node = node.value
        if isinstance(node, ast.Name):
            return True
    return False


class Translation:
    """One function on its way to C++."""

    def __init__(
        self, unit: Unit, function: Callable[..., Any], node: ast.FunctionDef
    ) -> None:
        """Read which names are local, and how often each is assigned."""
        self.unit = unit
        self.known: dict[str, Any] = function.__globals__
        self.node = node
        self.arguments = {a.arg for a in node.args.args}
        self.assigned: dict[str, int] = {}
        for inner in ast.walk(node):
            if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
                self.assigned[inner.id] = self.assigned.get(inner.id, 0) + 1
        self.declared: list[str] = []
        self.hoisted: set[str] = set()

    def lines(self) -> list[str]:
        """Return the body."""
        body: list[str] = []
        for statement in self.node.body:
            lines = self.statement(statement, 1)
            body += [*self.declared, *lines]  # variables, where they are needed first
            self.declared.clear()
        return body

    def hoist(self, name: str, kind: str) -> None:
        """Declare a variable before the present statement, unless it is an argument."""
        if name in self.arguments or name in self.hoisted or name == "_":
            return
        self.hoisted.add(name)
        self.declared.append(f"    std::decay_t<decltype({kind})> {c_name(name)};")

    def block(self, nodes: list[ast.stmt], depth: int) -> list[str]:
        """Return statements in braces that are already open."""
        return [line for node in nodes for line in self.statement(node, depth + 1)]

    def statement(self, node: ast.stmt, depth: int) -> list[str]:
        """Return a statement."""
        pad = "    " * depth
        match node:
            case ast.Expr(ast.Constant()):
                return []
            case ast.Expr(value):
                return [f"{pad}{self.value(value)};"]
            case ast.Return(value):
                return [f"{pad}{self.returned(value)};"]
            case ast.Break():
                return [f"{pad}break;"]
            case ast.Assign([target], value):
                pairs = elementary(target, value)
                return [line for p in pairs for line in self.assign(*p, depth)]
            case ast.AugAssign(target, op, value):
                sign = OPERATORS[type(op)]
                return [f"{pad}{self.value(target)} {sign}= {self.value(value)};"]
        return self.control(node, depth)

    def returned(self, value: ast.expr | None) -> str:
        """Return the end of a function with a value, several or none."""
        if value is None:
            return "return"
        if isinstance(value, ast.Tuple):
            return f"return {{{', '.join(map(self.value, value.elts))}}}"
        return f"return {self.value(value)}"

    def control(self, node: ast.stmt, depth: int) -> list[str]:
        """Return a choice or a loop."""
        pad = "    " * depth
        match node:
            case ast.If(test, then, otherwise):
                head = f"{pad}if ({self.value(test)}) {{"
                lines = [head, *self.block(then, depth), f"{pad}}}"]
                if otherwise:
                    tail = self.block(otherwise, depth)
                    lines[-1:] = [f"{pad}}} else {{", *tail, f"{pad}}}"]
                return lines
            case ast.While(test, body, []):
                head = f"{pad}while ({self.value(test)}) {{"
                return [head, *self.block(body, depth), f"{pad}}}"]
            case ast.For(ast.Name(name), ast.Call(ast.Name("range"), args), body, []):
                head = pad + self.loop(c_name(name), [self.value(a) for a in args])
                return [head, *self.block(body, depth), f"{pad}}}"]
        raise ValueError(f"no C++ for {ast.unparse(node)}")

    def loop(self, name: str, bounds: list[str]) -> str:
        """Return the head of a loop over numbers."""
        first, last = ("0", bounds[0]) if len(bounds) == 1 else bounds[:2]
        step, sign = (bounds[2], ">") if len(bounds) == 3 else ("1", "<")
        return (
            f"for (int64_t {name} = {first}; {name} {sign} {last}; {name} += {step}) {{"
        )

    def assign(self, target: ast.expr, value: ast.expr, depth: int) -> list[str]:
        """Return one assignment; what names a record's field becomes a reference."""
        pad = "    " * depth
        if isinstance(target, ast.Tuple):
            return self.unpack(target, value, pad)
        if not isinstance(target, ast.Name):
            return [f"{pad}{self.value(target)} = {self.value(value)};"]
        name = target.id
        if isinstance(value, ast.Attribute) and value.attr in COLUMNS:
            return []  # `row_field` knows them by name
        is_own = name not in self.arguments
        if is_own and depth == 1 and self.assigned[name] == 1 and is_chain(value):
            return [f"{pad}auto& {c_name(name)} = {self.value(value)};"]
        text = self.value(value)
        if is_own and depth == 1 and self.assigned[name] == 1:
            return [f"{pad}const auto {c_name(name)} = {text};"]
        self.hoist(name, text)
        return [f"{pad}{c_name(name)} = {text};"]

    def unpack(self, target: ast.Tuple, value: ast.expr, pad: str) -> list[str]:
        """Return the assignment of what a function returns, or of a table, to names."""
        names = [e.id for e in target.elts if isinstance(e, ast.Name)]
        text = self.value(value)
        if isinstance(value, ast.Name):
            return [
                f"{pad}const double {name} = {text}[{place}];"
                for place, name in enumerate(names)
                if name != "_"
            ]
        for place, name in enumerate(names):
            self.hoist(name, f"std::get<{place}>({text})")
        tied = ", ".join("std::ignore" if n == "_" else c_name(n) for n in names)
        return [f"{pad}std::tie({tied}) = {text};"]

    def value(self, node: ast.expr) -> str:
        """Return an expression."""
        match node:
            case ast.Constant(bool(flag)):
                return "true" if flag else "false"
            case ast.Constant(int(number) | float(number)):
                return c_number(number)
            case ast.Name(name):
                return self.name(name)
            case ast.Subscript(base, index):
                return self.item(base, index)
            case ast.Attribute(base, field):
                return self.field(base, field)
            case ast.Call(function, args, []):
                return self.call(function, [self.value(a) for a in args])
        return self.operation(node)

    def operation(self, node: ast.expr) -> str:
        """Return an expression made with an operator."""
        match node:
            case ast.BinOp(left, ast.FloorDiv(), right):
                return f"floor_quotient({self.value(left)}, {self.value(right)})"
            case ast.BinOp(left, ast.Mod(), right):
                return f"floor_rest({self.value(left)}, {self.value(right)})"
            case ast.BinOp(left, op, right):
                sign = OPERATORS[type(op)]
                return f"({self.value(left)} {sign} {self.value(right)})"
            case ast.UnaryOp(op, operand):
                return f"({OPERATORS[type(op)]}{self.value(operand)})"
            case ast.BoolOp(op, values):
                sign = " && " if isinstance(op, ast.And) else " || "
                return f"({sign.join(map(self.value, values))})"
            case ast.Compare(left, ops, right):
                return self.comparison([left, *right], ops)
            case ast.IfExp(test, then, otherwise):
                parts = map(self.value, (test, then, otherwise))
                return "({} ? {} : {})".format(*parts)
        raise ValueError(f"no C++ for {ast.unparse(node)}")

    def comparison(self, sides: list[ast.expr], ops: list[ast.cmpop]) -> str:
        """Return a comparison, perhaps of several in a row."""
        texts = [self.value(side) for side in sides]
        signs = [OPERATORS[type(op)] for op in ops]
        parts = [f"{texts[i]} {sign} {texts[i + 1]}" for i, sign in enumerate(signs)]
        return f"({' && '.join(parts)})"

    def name(self, name: str) -> str:
        """Return a local name, a constant, or a table of the module."""
        if name in self.arguments or name in self.assigned:
            return c_name(name)
        value = self.known[name]
        if isinstance(value, tuple):
            items = ", ".join(map(c_number, value))
            table = f"static constexpr double {name}[] = {{{items}}};"
            self.unit.tables[name] = table
            return name
        return c_number(value)

    def item(self, base: ast.expr, index: ast.expr) -> str:
        """Return an item of an array or table, or a field of a customer."""
        if isinstance(base, ast.Attribute) and base.attr == "shape":
            return f"{self.value(base.value)}.rows"
        if ast.unparse(base).endswith("queue.at"):
            return f"world.customers[{self.value(index)}].at"
        if isinstance(index, ast.Tuple):
            row, column = index.elts
            rows = ast.unparse(base).removeprefix("world.")
            if rows in COLUMNS:
                place = COLUMNS[rows](self.known[ast.unparse(column)]).name.lower()
                return f"world.customers[{self.value(row)}].{place}"
            return f"{self.value(base)}({self.value(row)}, {self.value(column)})"
        if isinstance(base, ast.Name) and base.id == "piece":
            return f"piece[{self.value(index)}]"
        return f"{self.value(base)}({self.value(index)})"

    def field(self, base: ast.expr, field: str) -> str:
        """Return a field of a record, or a constant of a module or enumeration."""
        if isinstance(base, ast.Name) and base.id not in self.arguments:
            owner = None if base.id in self.assigned else self.known[base.id]
            if owner is not None:
                return c_number(getattr(owner, field))
        return f"{self.value(base)}.{c_name(field)}"

    def call(self, function: ast.expr, args: list[str]) -> str:
        """Return a call of a function, or the making of a record."""
        given = ", ".join(args)
        if isinstance(function, ast.Attribute):  # of math
            if function.attr in ("sqrt", "copysign"):
                return f"std::{function.attr}({given})"
            return f"static_cast<int64_t>(std::{function.attr}({given}))"
        name = ast.unparse(function)
        if name in CASTS:
            return f"{CASTS[name]}({given})"
        if name == "len":
            return f"{given}.rows"
        called = self.known[name]
        if is_record(called):
            declare(self.unit, called)
            return f"{called.__name__}{{{given}}}"
        put_over(self.unit, called)
        return f"fn_{called.__name__}({given})"
