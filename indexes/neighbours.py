"""FAISS indexes that name candidates: codes of 8 bits, in clusters where records are many.

Apart from :mod:`indexes.vectors` because all that is FAISS's own stands here: training, how many
clusters to look into, files, and rows that are left out. What comes out are candidates: their
order and scores are FAISS's approximation, and are thrown away.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import faiss as _faiss
import numpy as np
import numpy.typing as npt

faiss: Any = _faiss  # its own annotations leave out what its Python wrappers add
SEED = 20_261_123
RECALL = 0.995  # of the true nearest, on the probes below; real queries may do a little worse
TOP = 50
_MARGIN = 2  # times as many clusters as the probes needed: they are not real queries
_PROBES = 200  # queries that settle how many clusters are looked into
_SAMPLE = 64  # vectors per cluster to train on
_CODED = 20_000  # vectors to learn the range of the codes from


def build(matrix: npt.NDArray[np.float32], scanned: int, coded: int, rescored: int) -> Any:
    """Return a FAISS index of unit vectors ``matrix`` (n, dim), ``None`` up to ``scanned`` rows.

    Above ``coded`` rows it is an inverted file that looks into as few clusters as give
    :data:`RECALL` of the true :data:`TOP` among ``rescored`` candidates.
    """
    n, dim = matrix.shape
    if n <= scanned:
        return None
    kind, metric = faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
    chance = np.random.default_rng(SEED)
    if n <= coded:
        index = faiss.IndexScalarQuantizer(dim, kind, metric)
        index.train(_some(matrix, _CODED, chance))
        index.add(matrix)
        return index
    clusters = 1 << round(float(np.log2(n**0.5)))
    quantiser = faiss.IndexFlatIP(dim)
    index = faiss.IndexIVFScalarQuantizer(quantiser, dim, clusters, kind, metric)
    index.cp.seed, index.cp.spherical = SEED, True
    index.train(_some(matrix, _SAMPLE * clusters, chance))
    index.add(matrix)
    index.nprobe = _probes(index, matrix, rescored, chance)
    return index


def _some(matrix: npt.NDArray[np.float32], count: int, chance: np.random.Generator) -> Any:
    rows = chance.choice(len(matrix), min(count, len(matrix)), replace=False)
    return np.ascontiguousarray(matrix[np.sort(rows)])


def _probes(
    index: Any, matrix: npt.NDArray[np.float32], rescored: int, chance: np.random.Generator
) -> int:
    """Return the least power of two of clusters that gives :data:`RECALL`, with a margin.

    A probe is halfway between two records drawn at random: a need is near no single record, and
    points between clusters are the hard ones.
    """
    pairs = [_some(matrix, _PROBES, chance) for _ in range(2)]
    middle = pairs[0] + chance.permutation(pairs[1])
    norms = np.linalg.norm(middle, axis=1, keepdims=True)
    probes = np.ascontiguousarray(middle / np.where(norms > 0, norms, 1), np.float32)
    truth = faiss.knn(probes, matrix, TOP, metric=faiss.METRIC_INNER_PRODUCT)[1]
    probed = 4
    while probed < index.nlist:
        index.nprobe = probed
        found = index.search(probes, rescored)[1]
        pairs_found = zip(truth, found, strict=True)
        if np.mean([np.isin(true, some).mean() for true, some in pairs_found]) >= RECALL:
            break
        probed *= 2
    return int(min(_MARGIN * probed, index.nlist))


def search(
    index: Any, queries: npt.NDArray[np.float32], k: int, dead: npt.NDArray[np.int64], n: int
) -> npt.NDArray[np.int64]:
    """Return ``k`` candidates of each of ``queries`` (m, dim), (m, k); -1 where there are none."""
    options = {}
    if len(dead):
        alive = np.ones(-(-n // 8) * 8, np.bool_)
        alive[dead] = False
        bits = np.packbits(alive, bitorder="little")
        chosen = faiss.IDSelectorBitmap(bits)
        if isinstance(index, faiss.IndexIVF):
            options["params"] = faiss.SearchParametersIVF(sel=chosen, nprobe=index.nprobe)
        else:
            options["params"] = faiss.SearchParameters(sel=chosen)
    return np.asarray(index.search(queries, k, **options)[1], np.int64)


def save(index: Any, path: Path) -> None:
    """Write ``index`` to a file."""
    faiss.write_index(index, str(path))


def load(path: Path) -> Any:
    """Open a file of :func:`save` memory-mapped; ``ValueError`` where it is damaged."""
    try:
        with path.open("rb") as file:
            clustered = file.read(4).startswith(b"Iw")
        # the flag for codes that are not clustered came with FAISS 1.11; before, they are read
        flags = faiss.IO_FLAG_MMAP if clustered else getattr(faiss, "IO_FLAG_MMAP_IFC", 0)
        return faiss.read_index(str(path), flags)
    except RuntimeError as error:
        raise ValueError(f"{path.name}: {str(error).splitlines()[0]}") from error
