"""Pass a large record to compiled functions as one pointer.

The compiler hands a named tuple over field by field. A record of three hundred numbers
and arrays then costs three hundred stores a call and minutes of compilation (DESIGN.md
has the figures).

`borrow` lays a record out in the caller's frame and returns a view of it, whose fields
are read through the pointer. It holds nothing alive: the caller's record must outlive
it, so a view is only handed down, never returned or stored. In Python it is the record.
"""

import importlib
from typing import Any, TypeVar

from churnsim.jit import extending

cgutils: Any = importlib.import_module("numba.core.cgutils")
templates: Any = importlib.import_module("numba.core.typing.templates")
types: Any = importlib.import_module("numba.core.types")

T = TypeVar("T")


def borrow(record: T) -> T:
    """Return a view of a named tuple, read through a pointer in compiled code."""
    return record


class View(types.Type):  # type: ignore[misc]
    """The compiler's type of a view: a pointer to a record of a known layout."""

    def __init__(self, target: Any) -> None:
        self.target = target
        super().__init__(name=f"View({target})")


class ViewModel(extending.models.PrimitiveModel):  # type: ignore[misc]
    """How a view is kept: one pointer."""

    def __init__(self, manager: Any, view: Any) -> None:
        layout = manager.lookup(view.target).get_value_type()
        super().__init__(manager, view, layout.as_pointer())


extending.register_model(View)(ViewModel)


def _type_of_borrow(context: Any) -> Any:  # noqa: ARG001 - numba prescribes it
    def typer(record: Any) -> Any:
        if isinstance(record, types.BaseNamedTuple):
            return View(record)
        return None

    return typer


def _type_of_field(view: Any, name: str) -> Any:
    if name not in view.target.fields:
        return None
    field = view.target.types[view.target.fields.index(name)]
    return View(field) if isinstance(field, types.BaseNamedTuple) else field


class ViewFields(templates.AttributeTemplate):  # type: ignore[misc]
    """The fields of a view: those of its record, inner records as views."""

    key = View

    def generic_resolve(self, view: Any, name: str) -> Any:
        """Return the type of a field."""
        return _type_of_field(view, name)


templates.infer_getattr(ViewFields)
extending.type_callable(borrow)(_type_of_borrow)


def _build_borrow(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    del context, signature
    return cgutils.alloca_once_value(builder, args[0])


def _build_field(context: Any, builder: Any, view: Any, pointer: Any, name: str) -> Any:
    index = view.target.fields.index(name)
    field = view.target.types[index]
    place = cgutils.gep_inbounds(builder, pointer, 0, index)
    if isinstance(field, types.BaseNamedTuple):
        return place
    value = builder.load(place)
    if isinstance(field, types.Array):
        array = context.make_array(field)(context, builder, value)
        owner = array.meminfo
        array.meminfo = owner.type(None)  # a view owns nothing: no reference counts
        value = array._getvalue()  # noqa: SLF001 - numba's own way to read it
    return value


extending.lower_builtin(borrow, types.BaseNamedTuple)(_build_borrow)
importlib.import_module("numba.core.imputils").lower_getattr_generic(View)(_build_field)
