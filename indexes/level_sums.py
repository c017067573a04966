"""Four rows of levels, each times a factor, added to scores: LLVM's vectors for numba's kernels.

As a loop over single numbers LLVM makes half as much of the processor. Each number is the same sum
in the same order either way.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils as untyped
from numba.core import types
from numba.extending import intrinsic

LANES = 16  # records at once

cgutils: Any = untyped
_intrinsic: Any = intrinsic  # as typed, its functions would be called with the typing context
_INT, _FLOAT, _SIZE = ir.IntType(32), ir.FloatType(), ir.IntType(64)
_LEVELS, _INTS, _FLOATS = (ir.VectorType(kind, LANES) for kind in (ir.IntType(8), _INT, _FLOAT))


@_intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def add_four(
    _context: Any, scores: Any, a: Any, b: Any, c: Any, d: Any, factors: Any, count: Any
) -> Any:
    """Add four rows to ``scores``: ``(a * f0 + b * f1) + (c * f2 + d * f3)`` for each record.

    Scores and ``factors`` are float32, rows uint8; all are addresses as integers: who calls keeps
    the arrays alive. ``count`` is a multiple of :data:`LANES`.
    """

    def generate(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        scores, *rows, factors, count = given

        def at(address: Any, kind: Any) -> Any:
            return builder.inttoptr(address, kind.as_pointer())

        def spread(number: int) -> Any:
            place = builder.add(factors, _SIZE(4 * number))
            one = builder.load(at(place, _FLOAT), align=1)
            first = builder.insert_element(_FLOATS(ir.Undefined), one, _INT(0))
            return builder.shuffle_vector(first, _FLOATS(ir.Undefined), _INTS(None))

        def product(row: Any, place: Any, factor: Any) -> Any:
            levels = builder.load(at(builder.add(row, place), _LEVELS), align=1)
            return builder.fmul(builder.sitofp(builder.zext(levels, _INTS), _FLOATS), factor)

        spreads = [spread(number) for number in range(4)]
        with cgutils.for_range_slice(builder, _SIZE(0), count, _SIZE(LANES)) as (place, _):
            pairs = zip(rows, spreads, strict=True)
            found = [product(row, place, factor) for row, factor in pairs]
            more = builder.fadd(builder.fadd(*found[:2]), builder.fadd(*found[2:]))
            here = at(builder.add(scores, builder.mul(place, _SIZE(4))), _FLOATS)
            builder.store(builder.fadd(builder.load(here, align=1), more), here, align=1)
        return _context.get_dummy_value()

    return types.void(*[types.intp] * 7), generate
