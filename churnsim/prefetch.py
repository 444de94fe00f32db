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
N_LINES = 2  # asked for
READ, KEEP, DATA = 0, 3, 1  # arguments of llvm.prefetch


def prefetch(column: NDArray[Any], row: int) -> None:
    """Ask for the first two cache lines of a row.

    Args:
        column: The first column of a table, shape (n,).
        row: From 0 to n − 1.
    """


def _type_of_ask(typingctx: Any, column: Any, row: Any) -> Any:  # noqa: ARG001
    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = signature.args[0]
        table = context.make_array(kind)(context, builder, args[0])
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        first = cgutils.get_item_pointer(context, builder, kind, table, [args[1]])
        first = builder.bitcast(first, byte)
        shape = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        ask = cgutils.get_or_insert_function(builder.module, shape, "llvm.prefetch.p0")
        for line in range(N_LINES):
            offset = ir.Constant(ir.IntType(64), line * CACHE_LINE)
            place = builder.gep(first, [offset])
            builder.call(ask, [place, *(number(hint) for hint in (READ, KEEP, DATA))])
        return context.get_dummy_value()

    return types.void(column, types.intp), build


_ask = extending.intrinsic(_type_of_ask)


def _compile_prefetch(column: Any, row: Any) -> Any:  # noqa: ARG001 - as numba wants
    def prefetch(column: Any, row: Any) -> Any:
        _ask(column, row)

    return prefetch


extending.overload(prefetch)(_compile_prefetch)
