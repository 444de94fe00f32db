"""Ask for rows of a table before they are needed.

A row that lies in main memory takes as long to come as a hundred instructions. Whoever
knows which row comes next can ask for it meanwhile. Nothing is computed, so no result
can depend on it; in Python it does nothing at all.
"""

import importlib
from typing import Any

from numpy.typing import NDArray

from churnsim.jit import extending

ir: Any = importlib.import_module("llvmlite.ir")
types: Any = importlib.import_module("numba.core.types")
cgutils: Any = importlib.import_module("numba.core.cgutils")

CACHE_LINE = 64  # bytes
READ, KEEP, DATA = 0, 3, 1  # arguments of llvm.prefetch


def prefetch(column: NDArray[Any], row: int) -> None:
    """Ask for the first two cache lines of a row.

    Args:
        column: The first column of a table, shape (n,).
        row: From 0 to n − 1.
    """


def prefetch_cell(column: NDArray[Any], row: int) -> None:
    """Ask for the cache line of a cell.

    Args:
        column: Shape (n,).
        row: From 0 to n − 1.
    """


def _asking(n_lines: int) -> Any:
    """Return what a compiled function asks for so many cache lines by."""

    def typed(typingctx: Any, column: Any, row: Any) -> Any:  # noqa: ARG001 - numba's
        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            kind = signature.args[0]
            table = context.make_array(kind)(context, builder, args[0])
            byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
            first = cgutils.get_item_pointer(context, builder, kind, table, [args[1]])
            first = builder.bitcast(first, byte)
            shape = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
            module, name = builder.module, "llvm.prefetch.p0"
            ask = cgutils.get_or_insert_function(module, shape, name)
            hints = [number(hint) for hint in (READ, KEEP, DATA)]
            for line in range(n_lines):
                offset = ir.Constant(ir.IntType(64), line * CACHE_LINE)
                builder.call(ask, [builder.gep(first, [offset]), *hints])
            return context.get_dummy_value()

        return types.void(column, types.intp), build

    return extending.intrinsic(typed)


_ask_two, _ask_one = _asking(2), _asking(1)


def _compile_prefetch(column: Any, row: Any) -> Any:  # noqa: ARG001 - as numba wants
    def prefetch(column: Any, row: Any) -> Any:
        _ask_two(column, row)

    return prefetch


def _compile_prefetch_cell(column: Any, row: Any) -> Any:  # noqa: ARG001 - the same
    def prefetch_cell(column: Any, row: Any) -> Any:
        _ask_one(column, row)

    return prefetch_cell


extending.overload(prefetch)(_compile_prefetch)
extending.overload(prefetch_cell)(_compile_prefetch_cell)
