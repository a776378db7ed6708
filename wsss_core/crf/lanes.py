"""Eight float32 at a time in numba kernels, as vectors of LLVM.

The kernels' inner loops run over a row's few channels. LLVM's own vectoriser first checks there that the rows do not
overlap, which takes as long as the sums; it also leaves the rest of a division by 16 or 32 to scalar code.
"""

from typing import Any

from llvmlite import ir
from numba import extending
from numba.core import cgutils, types
from numba.core.datamodel import models, register_default
from numba.np.arrayobj import make_array

LANES = 8
intrinsic: Any = extending.intrinsic  # numba declares that the typing context is passed by the caller
_FLOAT = ir.FloatType()
_VECTOR = ir.VectorType(_FLOAT, LANES)
_WHOLE_VECTOR = ir.VectorType(ir.IntType(32), LANES)


class _Lanes(types.Type):
    pass


@register_default(_Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, lanes: _Lanes) -> None:
        super().__init__(manager, lanes, _VECTOR)


_lanes = _Lanes("lanes")


def padded(channels: int) -> int:
    """The smallest multiple of LANES that holds that many channels."""
    return -(-channels // LANES) * LANES


@intrinsic
def load(_typing, array, row, column):  # type: ignore[no-untyped-def]
    """array[row, column : column + LANES] of a C-contiguous float32 array; nothing is checked."""

    def build(context, builder, signature, args):  # type: ignore[no-untyped-def]
        return builder.load(_address(context, builder, signature.args[0], *args), align=4)

    return _lanes(array, types.intp, types.intp), build


@intrinsic
def store(_typing, array, row, column, lanes):  # type: ignore[no-untyped-def]
    """array[row, column : column + LANES] = lanes, likewise."""

    def build(context, builder, signature, args):  # type: ignore[no-untyped-def]
        builder.store(args[3], _address(context, builder, signature.args[0], *args[:3]), align=4)
        return context.get_dummy_value()

    return types.void(array, types.intp, types.intp, lanes), build


@intrinsic
def spread(_typing, value):  # type: ignore[no-untyped-def]
    """The float32 in every lane."""

    def build(context, builder, signature, args):  # type: ignore[no-untyped-def]
        return _spread(builder, *args)

    return _lanes(value), build


@intrinsic
def multiply_add(_typing, a, x, y):  # type: ignore[no-untyped-def]
    """a · x + y, of lanes or float32; fused where the processor can."""

    def build(context, builder, signature, args):  # type: ignore[no-untyped-def]
        return _call(builder, "llvm.fmuladd.v8f32", _VECTOR, [_spread(builder, x) for x in args])

    return _lanes(a, x, y), build


@intrinsic
def maximum(_typing, x, y):  # type: ignore[no-untyped-def]
    """The larger of each lane, of lanes or float32."""

    def build(context, builder, signature, args):  # type: ignore[no-untyped-def]
        x, y = (_spread(builder, value) for value in args)
        return builder.select(builder.fcmp_ordered(">", x, y), x, y)

    return _lanes(x, y), build


@intrinsic
def floor(_typing, x):  # type: ignore[no-untyped-def]
    """Each lane rounded down."""

    def build(context, builder, signature, args):  # type: ignore[no-untyped-def]
        return _call(builder, "llvm.floor.v8f32", _VECTOR, args)

    return _lanes(x), build


@intrinsic
def power_of_two(_typing, n):  # type: ignore[no-untyped-def]
    """2 to the power of each lane, a whole number in −127..127; 0 for −127."""

    def build(context, builder, signature, args):  # type: ignore[no-untyped-def]
        whole = builder.fptosi(args[0], _WHOLE_VECTOR)
        exponent = builder.add(whole, ir.Constant(_WHOLE_VECTOR, [127] * LANES))
        return builder.bitcast(builder.shl(exponent, ir.Constant(_WHOLE_VECTOR, [23] * LANES)), _VECTOR)

    return _lanes(n), build


@intrinsic
def largest(_typing, x):  # type: ignore[no-untyped-def]
    """The largest lane, float32; no lane may be NaN."""

    def build(context, builder, signature, args):  # type: ignore[no-untyped-def]
        return _call(builder, "llvm.vector.reduce.fmax.v8f32", _FLOAT, args, "nnan")

    return types.float32(x), build


@intrinsic
def total(_typing, x):  # type: ignore[no-untyped-def]
    """The lanes' sum, float32, pair by pair."""

    def build(context, builder, signature, args):  # type: ignore[no-untyped-def]
        return _call(builder, "llvm.vector.reduce.fadd.v8f32", _FLOAT, [_FLOAT(0.0), *args], "reassoc")

    return types.float32(x), build


def _address(context: Any, builder: Any, array_type: Any, array: Any, row: Any, column: Any) -> Any:
    fields = make_array(array_type)(context, builder, array)
    offset = builder.add(builder.mul(row, builder.extract_value(fields.shape, 1)), column)
    return builder.bitcast(builder.gep(fields.data, [offset]), _VECTOR.as_pointer())


def _spread(builder: Any, value: Any) -> Any:
    if value.type == _VECTOR:
        return value
    first = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), value, ir.IntType(32)(0))
    return builder.shuffle_vector(first, first, _WHOLE_VECTOR([0] * LANES))


def _call(builder: Any, name: str, result: Any, args: list[Any], *flags: str) -> Any:
    function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(result, [a.type for a in args]), name)
    return builder.call(function, args, fastmath=flags)
