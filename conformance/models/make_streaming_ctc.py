"""A small streaming CTC model with random weights, in the shape of NeMo's export, for adapters/sherpa-onnx-node.mjs.

Usage: make_streaming_ctc.py FOLDER (needs `pip install onnx==1.23.2`)

Log-mel in, steps of 16 outputs, 40 ms each (sherpa-onnx takes every model for one that subsamples by 4). An output sees 80 ms of sound and the last
frame of the step before. To random weights all sound is alike: what can be asked is how the streams around them behave.
"""

import os
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FEATURES, FACTOR, CHUNK, STATE, VOCABULARY = 80, 4, 16, 64, 40
# Mel frames that a step takes, and by how many it moves on.
WINDOW, SHIFT = CHUNK * FACTOR + FACTOR, CHUNK * FACTOR


def main(folder: str) -> None:
    random = np.random.default_rng(7)

    def weights(name: str, *shape: int, scale: float) -> TensorProto:
        return numpy_helper.from_array((random.standard_normal(shape) * scale).astype(np.float32), name)

    initializers = [
        weights("conv.weight", STATE, FEATURES, 2 * FACTOR, scale=0.02),
        weights("out.weight", STATE, VOCABULARY + 1, scale=1.0),
        numpy_helper.from_array(np.array([CHUNK], np.int64), "chunk"),
        numpy_helper.from_array(np.array([1], np.int64), "one"),
        numpy_helper.from_array(np.array([1, 1, 1, STATE], np.int64), "cache_shape"),
        numpy_helper.from_array(np.array([1, 1, STATE], np.int64), "past_shape"),
        numpy_helper.from_array(np.array([-1], np.int64), "last"),
        numpy_helper.from_array(np.array([2**31 - 1], np.int64), "end"),
        numpy_helper.from_array(np.array([1], np.int64), "axis"),
        numpy_helper.from_array(np.array(0.5, np.float32), "half"),
    ]
    nodes = [
        helper.make_node("Conv", ["audio_signal", "conv.weight"], ["convolved"], strides=[FACTOR]),
        helper.make_node("Tanh", ["convolved"], ["activated"]),
        helper.make_node("Transpose", ["activated"], ["frames"], perm=[0, 2, 1]),
        # The past: the last frame of the step before.
        helper.make_node("Reshape", ["cache_last_time", "past_shape"], ["past"]),
        helper.make_node("Mul", ["past", "half"], ["faded"]),
        helper.make_node("Add", ["frames", "faded"], ["mixed"]),
        helper.make_node("MatMul", ["mixed", "out.weight"], ["scores"]),
        helper.make_node("LogSoftmax", ["scores"], ["logits"], axis=2),
        helper.make_node("Identity", ["chunk"], ["encoded_lengths"]),
        helper.make_node("Slice", ["frames", "last", "end", "axis"], ["last_frame"]),
        helper.make_node("Reshape", ["last_frame", "cache_shape"], ["cache_last_time_next"]),
        helper.make_node("Identity", ["cache_last_channel"], ["cache_last_channel_next"]),
        helper.make_node("Add", ["cache_last_channel_len", "one"], ["cache_last_channel_len_next"]),
    ]
    cache = [1, 1, 1, STATE]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "streaming_ctc",
        [
            value("audio_signal", TensorProto.FLOAT, [1, FEATURES, WINDOW]),
            value("length", TensorProto.INT64, [1]),
            value("cache_last_channel", TensorProto.FLOAT, cache),
            value("cache_last_time", TensorProto.FLOAT, cache),
            value("cache_last_channel_len", TensorProto.INT64, [1]),
        ],
        [
            value("logits", TensorProto.FLOAT, [1, CHUNK, VOCABULARY + 1]),
            value("encoded_lengths", TensorProto.INT64, [1]),
            value("cache_last_channel_next", TensorProto.FLOAT, cache),
            value("cache_last_time_next", TensorProto.FLOAT, cache),
            value("cache_last_channel_len_next", TensorProto.INT64, [1]),
        ],
        initializers,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    facts = {"window_size": WINDOW, "chunk_shift": SHIFT, "subsampling_factor": FACTOR, "vocab_size": VOCABULARY}
    for name in ("cache_last_channel", "cache_last_time"):
        facts |= {f"{name}_dim{i + 1}": size for i, size in enumerate(cache[1:])}
    facts |= {"model_type": "EncDecHybridRNNTCTCBPEModel", "normalize_type": "NA"}
    helper.set_model_props(model, {name: str(fact) for name, fact in facts.items()})
    onnx.checker.check_model(model)
    os.makedirs(folder, exist_ok=True)
    onnx.save(model, os.path.join(folder, "model.onnx"))
    with open(os.path.join(folder, "tokens.txt"), "w", encoding="utf-8") as file:
        names = [f"▁{chr(97 + i % 26)}{i // 26}" for i in range(VOCABULARY)] + ["<blk>"]
        file.writelines(f"{name} {i}\n" for i, name in enumerate(names))


main(sys.argv[1])
