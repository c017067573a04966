"""The inner loops of E5 in 8 bits, written in LLVM's vectors for numba's kernels.

:func:`nibbles_avx2` and :func:`nibbles_vnni` fill a tile of a product of 8-bit numbers with 4-bit
weights that stays in registers to the end. What a block of 32 gives is a whole number, and floats
are added in one order and rounded once, so both give the same bits. :func:`floats` is a tile of a
product of floats, :func:`whole` rounds a block. Addresses are integers, strides are in bytes: who
calls keeps the arrays alive and long enough for whole tiles.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from llvmlite import ir
from numba.core import cgutils as untyped
from numba.core import types
from numba.extending import intrinsic

BLOCK = 32  # weights that share a scale
DEEP = 4  # neighbouring products that are added up within one lane of 32 bits
ROWS = 6  # of all tiles; AVX2, with half the registers, does them as two times 3
AVX2_WIDTH, VNNI_WIDTH, FLOATS_WIDTH = 16, 32, 16  # columns of a tile

cgutils: Any = untyped
_intrinsic: Any = intrinsic  # as typed, its functions would be called with the typing context
_Value = Any  # of LLVM, known only when it is compiled
_INT, _FLOAT, _SIZE = ir.IntType(32), ir.FloatType(), ir.IntType(64)
_BYTES, _SHORTS = ir.VectorType(ir.IntType(8), BLOCK), ir.VectorType(ir.IntType(16), 16)


class _Writer:
    """Writes code for vectors of ``lanes`` numbers: loads, stores, sums of products."""

    def __init__(self, builder: ir.IRBuilder, lanes: int) -> None:
        self.builder = builder
        self.ints, self.floats = ir.VectorType(_INT, lanes), ir.VectorType(_FLOAT, lanes)

    def at(self, base: _Value, *steps: tuple[_Value | int, _Value | int]) -> _Value:
        """The address ``base`` plus the products of ``steps``."""
        for count, size in steps:
            factors = (_SIZE(each) if isinstance(each, int) else each for each in (count, size))
            base = self.builder.add(base, self.builder.mul(*factors))
        return base

    def load(self, address: _Value, kind: ir.Type) -> _Value:
        return self.builder.load(self.builder.inttoptr(address, kind.as_pointer()), align=1)

    def store(self, value: _Value, address: _Value) -> None:
        pointer = self.builder.inttoptr(address, value.type.as_pointer())
        self.builder.store(value, pointer, align=1)

    def spread(self, address: _Value, kind: ir.VectorType) -> _Value:
        """One number of memory in all lanes."""
        return self.everywhere(self.load(address, kind.element), kind)

    def everywhere(self, number: _Value, kind: ir.VectorType) -> _Value:
        nothing = kind(ir.Undefined)
        one = self.builder.insert_element(nothing, number, _INT(0))
        return self.builder.shuffle_vector(one, nothing, ir.VectorType(_INT, kind.count)(None))

    def call(self, name: str, kind: ir.Type, values: Sequence[_Value]) -> _Value:
        signature = ir.FunctionType(kind, [each.type for each in values])
        function = cgutils.get_or_insert_function(self.builder.module, signature, name)
        return self.builder.call(function, values)

    def sums(self, rows: int, columns: int) -> list[list[_Value]]:
        """Places for sums; LLVM makes them registers."""
        return [
            [cgutils.alloca_once(self.builder, self.floats) for _ in range(columns)]
            for _ in range(rows)
        ]

    def add_product(self, total: _Value, left: _Value, right: _Value) -> None:
        """Add ``left * right`` to a sum, rounded once."""
        name = f"llvm.fma.v{self.floats.count}f32"
        summed = self.call(name, self.floats, (left, right, self.builder.load(total)))
        self.builder.store(summed, total)


class _Dot(Protocol):
    """How a processor adds up a block: ``start``, as often as needed ``step``, ``end``.

    A step adds, in each lane, four numbers times four weights. ``shift`` is where the number stands
    that the sum is to begin with: weights are held as 0 to 15 and stand for -8 to 7.
    """

    lanes: int
    rows: int

    def start(self, write: _Writer, shift: _Value) -> _Value: ...
    def step(self, write: _Writer, total: _Value, weights: _Value, numbers: _Value) -> _Value: ...
    def end(self, write: _Writer, total: _Value, shift: _Value) -> _Value: ...


class _Avx2:
    """In 16 bits: a block's products, 16 a lane of at most 15 * 127, stay below 2 ** 15."""

    lanes, rows = 8, 3

    def start(self, write: _Writer, shift: _Value) -> _Value:
        return _SHORTS(None)

    def step(self, write: _Writer, total: _Value, weights: _Value, numbers: _Value) -> _Value:
        pair = [write.builder.bitcast(each, _BYTES) for each in (weights, numbers)]
        return write.builder.add(total, write.call("llvm.x86.avx2.pmadd.ub.sw", _SHORTS, pair))

    def end(self, write: _Writer, total: _Value, shift: _Value) -> _Value:
        pair = (total, _SHORTS([1] * 16))
        whole = write.call("llvm.x86.avx2.pmadd.wd", write.ints, pair)
        return write.builder.add(whole, write.spread(shift, write.ints))


class _Vnni:
    """In 32 bits at once."""

    lanes, rows = 16, 6

    def start(self, write: _Writer, shift: _Value) -> _Value:
        return write.spread(shift, write.ints)

    def step(self, write: _Writer, total: _Value, weights: _Value, numbers: _Value) -> _Value:
        values = (total, weights, numbers)
        return write.call("llvm.x86.avx512.vpdpbusd.512", write.ints, values)

    def end(self, write: _Writer, total: _Value, shift: _Value) -> _Value:
        return total


def _nibbles(dot: _Dot, builder: ir.IRBuilder, given: Sequence[_Value]) -> None:
    """Write :func:`nibbles_avx2` or :func:`nibbles_vnni`: two vectors wide, blocks one by one."""
    out, stride, bias, weights, scales, numbers, factors, shifts, blocks = given
    write, vector = _Writer(builder, dot.lanes), 4 * dot.lanes
    rows, columns = range(dot.rows), range(2)
    sums = write.sums(dot.rows, 2)
    for column in columns:
        begin = write.load(write.at(bias, (column, vector)), write.floats)
        for row in rows:
            builder.store(begin, sums[row][column])
    with cgutils.for_range(builder, blocks) as loop:
        block = loop.index
        held = write.at(weights, (block, 2 * vector * (BLOCK // DEEP)))
        values = [write.at(numbers, (block, BLOCK), (blocks, BLOCK * row)) for row in rows]
        begun = [write.at(shifts, (block, 4), (blocks, 4 * row)) for row in rows]
        wholes = _block(dot, write, held, values, begun)
        for row in rows:
            factor = write.spread(write.at(factors, (block, 4), (blocks, 4 * row)), write.floats)
            for column in columns:
                place = write.at(scales, (block, 2 * vector), (column, vector))
                scale = builder.fmul(write.load(place, write.floats), factor)
                total = builder.sitofp(wholes[row][column], write.floats)
                write.add_product(sums[row][column], total, scale)
    for row in rows:
        for column in columns:
            place = write.at(out, (stride, row), (column, vector))
            write.store(builder.load(sums[row][column]), place)


def _block(
    dot: _Dot, write: _Writer, weights: _Value, values: list[_Value], shifts: list[_Value]
) -> list[list[_Value]]:
    """Write the products of one block: for every row two vectors of whole numbers."""
    size, columns = write.ints.count * 4, range(2)
    totals = [[dot.start(write, shift) for _ in columns] for shift in shifts]
    for step in range(BLOCK // DEEP):
        loaded = [
            write.load(write.at(weights, (2 * step + each, size)), write.ints) for each in columns
        ]
        for row, value in enumerate(values):
            number = write.spread(write.at(value, (step, DEEP)), write.ints)
            for column in columns:
                total = totals[row][column]
                totals[row][column] = dot.step(write, total, loaded[column], number)
    return [
        [dot.end(write, total, shift) for total in row]
        for row, shift in zip(totals, shifts, strict=True)
    ]


def _floats(builder: ir.IRBuilder, given: Sequence[_Value]) -> None:
    """Write :func:`floats`."""
    out, stride, left, left_row, left_column, right, right_row, depth = given
    write, rows = _Writer(builder, FLOATS_WIDTH), range(ROWS)
    sums = write.sums(ROWS, 1)
    for row in rows:
        builder.store(write.floats(None), sums[row][0])
    with cgutils.for_range(builder, depth) as loop:
        several = write.load(write.at(right, (loop.index, right_row)), write.floats)
        for row in rows:
            place = write.at(left, (left_row, row), (loop.index, left_column))
            write.add_product(sums[row][0], write.spread(place, write.floats), several)
    for row in rows:
        write.store(builder.load(sums[row][0]), write.at(out, (stride, row)))


def _whole(builder: ir.IRBuilder, given: Sequence[_Value]) -> None:
    """Write :func:`whole`."""
    numbers, values, factor, shift = given
    write = _Writer(builder, BLOCK)
    block = write.load(numbers, write.floats)
    bits = builder.and_(builder.bitcast(block, write.ints), write.ints([0x7FFFFFFF] * BLOCK))
    # Without their signs floats are ordered as their bits are.
    most = builder.bitcast(write.call("llvm.vector.reduce.umax.v32i32", _INT, [bits]), _FLOAT)
    inverse = builder.select(
        builder.fcmp_ordered(">", most, _FLOAT(0)),
        builder.fdiv(_FLOAT(127), most),
        _FLOAT(0),
    )
    scaled = builder.fmul(block, write.everywhere(inverse, write.floats))
    near = write.call(f"llvm.rint.v{BLOCK}f32", write.floats, [scaled])
    whole = builder.fptosi(near, write.ints)
    write.store(builder.trunc(whole, _BYTES), values)
    write.store(builder.fdiv(most, _FLOAT(127)), factor)
    total = write.call("llvm.vector.reduce.add.v32i32", _INT, [whole])
    write.store(builder.mul(total, _INT(-8)), shift)


def _void(count: int, write: Callable[[ir.IRBuilder, Sequence[_Value]], None]) -> Any:
    """Type and code of a function of ``count`` integers that returns nothing."""

    def emit(context: Any, builder: ir.IRBuilder, _: Any, given: Sequence[_Value]) -> Any:
        write(builder, given)
        return context.get_dummy_value()

    return types.void(*[types.intp] * count), emit


@_intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def whole(typing: Any, numbers: Any, values: Any, factor: Any, shift: Any) -> Any:
    """Round a block of float32 ``numbers`` to ``values`` (int8) times ``factor`` (float32).

    The largest becomes 127; ``shift`` (int32) gets -8 times the sum of the values.
    """
    return _void(4, _whole)


@_intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def nibbles_avx2(
    typing: Any,
    out: Any,
    stride: Any,
    bias: Any,
    weights: Any,
    scales: Any,
    numbers: Any,
    factors: Any,
    shifts: Any,
    blocks: Any,
) -> Any:
    """Fill a tile of 3 rows and :data:`AVX2_WIDTH` columns; needs AVX2 and FMA.

    Args:
        typing: given by numba.
        out: where the tile begins, float32.
        stride: from a row of ``out`` to the next.
        bias: float32 (width,), what the sums begin with.
        weights: uint8 (blocks, 8, width, 4), 0 to 15 for -8 to 7.
        scales: float32 (blocks, width), of the weights.
        numbers: int8 (rows, blocks, 32), -127 to 127.
        factors: float32 (rows, blocks), of the numbers.
        shifts: int32 (rows, blocks), -8 times the sum of the block's numbers.
        blocks: how many.
    """
    return _void(9, lambda builder, given: _nibbles(_Avx2(), builder, given))


@_intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def nibbles_vnni(
    typing: Any,
    out: Any,
    stride: Any,
    bias: Any,
    weights: Any,
    scales: Any,
    numbers: Any,
    factors: Any,
    shifts: Any,
    blocks: Any,
) -> Any:
    """Fill a tile of :data:`ROWS` rows and :data:`VNNI_WIDTH` columns; needs AVX512-VNNI."""
    return _void(9, lambda builder, given: _nibbles(_Vnni(), builder, given))


@_intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def floats(
    typing: Any,
    out: Any,
    stride: Any,
    left: Any,
    left_row: Any,
    left_column: Any,
    right: Any,
    right_row: Any,
    depth: Any,
) -> Any:
    """Fill a tile of :data:`ROWS` rows and :data:`FLOATS_WIDTH` columns with left times right.

    Left has a stride for its rows and one for its columns, so it may stand either way.
    """
    return _void(8, _floats)


@_intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def fma(typing: Any, left: Any, right: Any, added: Any) -> Any:
    """``left * right + added`` in float32, rounded once; a loop over it is made into vectors."""

    def emit(context: Any, builder: ir.IRBuilder, _: Any, given: Sequence[_Value]) -> Any:
        return _Writer(builder, 1).call("llvm.fma.f32", _FLOAT, given)

    return types.float32(types.float32, types.float32, types.float32), emit
