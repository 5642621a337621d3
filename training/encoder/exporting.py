"""From weights to the file that ships: int8 vectors in one ONNX graph with the vocabulary inside, and back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import onnx
from fitting import Floats, Weights
from onnx import TensorProto, helper, numpy_helper

_OPSET, _IR = 18, 8


def quantised(weights: Weights) -> tuple[npt.NDArray[np.int8], Floats]:
    """(int8 vectors, weights of pieces (2, pieces) that undo each vector's scale)."""
    scale = np.maximum(np.abs(weights.vectors).max(1), 1e-12) / 127
    vectors = np.clip(np.round(weights.vectors / scale[:, None]), -127, 127).astype(np.int8)
    sides = np.exp(np.stack([weights.question, weights.code]))
    return vectors, (sides * scale).astype(np.float32)


def exported(weights: Weights, vocabulary: Sequence[str]) -> bytes:
    """The model file: (input_ids, tf, kind) → embedding, rows of length 1; kind is 0 for questions, 1 for code."""
    vectors, sides = quantised(weights)
    constants = {
        "vectors": vectors,
        "sides": sides,
        "last": np.array([-1], np.int64),
        "one": np.array([1], np.int64),
        "zero": np.array([0], np.int64),
        "least": np.array(1e-9, np.float32),
    }
    node = helper.make_node
    nodes = [
        node("Gather", ["vectors", "input_ids"], ["rows8"]),
        node("Cast", ["rows8"], ["rows"], to=TensorProto.FLOAT),
        node("Gather", ["sides", "kind"], ["side1"], axis=0),
        node("Squeeze", ["side1", "zero"], ["side"]),
        node("Gather", ["side", "input_ids"], ["weight"]),
        node("Mul", ["weight", "tf"], ["weighed"]),
        node("Unsqueeze", ["weighed", "one"], ["weighed3"]),
        node("MatMul", ["weighed3", "rows"], ["sum3"]),
        node("Squeeze", ["sum3", "one"], ["sum"]),
        node("ReduceL2", ["sum", "last"], ["length0"], keepdims=1),
        node("Max", ["length0", "least"], ["length"]),
        node("Div", ["sum", "length"], ["embedding"]),
    ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "cortex_static",
        [
            value("input_ids", TensorProto.INT64, ["texts", "pieces"]),
            value("tf", TensorProto.FLOAT, ["texts", "pieces"]),
            value("kind", TensorProto.INT64, [1]),
        ],
        [value("embedding", TensorProto.FLOAT, ["texts", vectors.shape[1]])],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], producer_name="cortex")
    model.ir_version = _IR
    model.metadata_props.add(key="vocab", value="\n".join(vocabulary))
    model.metadata_props.add(key="tf", value="log")
    model.metadata_props.add(key="head", value="twice")
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


def imported(data: bytes) -> tuple[Weights, list[str]]:
    """The weights and the vocabulary of a model file, to go on from."""
    model = onnx.load_from_string(data)
    arrays = [numpy_helper.to_array(each) for each in model.graph.initializer]
    vectors = next(each for each in arrays if each.dtype == np.int8)
    sides = next(each for each in arrays if each.ndim == 2 and each.dtype == np.float32)
    scale = np.exp(np.log(np.maximum(sides, 1e-12)).mean(0))
    # How a weight parts into a vector's length and a weight is free: here both sides' mean weight is one.
    whole = vectors.astype(np.float32) * scale[:, None]
    question, code = np.log(np.maximum(sides, 1e-12) / scale)
    vocabulary = next(each.value for each in model.metadata_props if each.key == "vocab").split("\n")
    return Weights(whole.astype(np.float32), question.astype(np.float32), code.astype(np.float32)), vocabulary
