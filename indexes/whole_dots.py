"""A product of whole numbers, 8 bits by 16, written in LLVM's vectors for numba's kernels.

Of a plain loop LLVM makes the narrowest vectors; of vectors of :data:`LANES` numbers it makes the
widest that the processor has. Sums of whole numbers are the same in any order.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils as untyped
from numba.core import types
from numba.extending import intrinsic

LANES = 32  # numbers multiplied at once

cgutils: Any = untyped
_intrinsic: Any = intrinsic  # as typed, its functions would be called with the typing context
_INT, _SIZE = ir.IntType(32), ir.IntType(64)
_CODES, _ASKED, _SUMS = (ir.VectorType(ir.IntType(bits), LANES) for bits in (8, 16, 32))


@_intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def whole_dot(_context: Any, codes: Any, asked: Any, count: Any) -> Any:
    """``whole_dot(codes, asked, count)``: the sum of the products that fill vectors, in 32 bits.

    ``codes`` (8 bits) and ``asked`` (16 bits) are addresses as integers: who calls keeps the arrays
    alive. The last ``count % LANES`` numbers are left out.
    """

    def generate(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        left, right, count = given
        # A stop that LLVM knows to be whole steps away makes it unroll the loop, and then it no
        # longer finds the sums of pairs that the processor adds up at once: twice the time.
        stop = builder.sub(count, _SIZE(LANES - 1))

        def read(base: Any, place: Any, size: int, kind: ir.VectorType) -> Any:
            address = builder.add(base, builder.mul(place, _SIZE(size)))
            found = builder.load(builder.inttoptr(address, kind.as_pointer()), align=1)
            return builder.sext(found, _SUMS)

        total = cgutils.alloca_once_value(builder, _SUMS(None))
        with cgutils.for_range_slice(builder, _SIZE(0), stop, _SIZE(LANES)) as (place, _):
            pair = read(left, place, 1, _CODES), read(right, place, 2, _ASKED)
            builder.store(builder.add(builder.load(total), builder.mul(*pair)), total)
        name = f"llvm.vector.reduce.add.v{LANES}i32"
        signature = ir.FunctionType(_INT, [_SUMS])
        add_up = cgutils.get_or_insert_function(builder.module, signature, name)
        return builder.call(add_up, [builder.load(total)])

    return types.int32(types.uintp, types.uintp, types.intp), generate
