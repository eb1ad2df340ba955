"""The same model as ONNX graphs, with the inputs, outputs and metadata of NeMo's own export, for ONNX Runtime and sherpa-onnx.

Usage: parakeet_onnx.py MODEL_FOLDER OUT_FOLDER. Writes, unless they are there:
  encoder.onnx (+ .weights)   float32
  encoder.matmul8.onnx        dynamic int8, only the products, per channel: ONNX Runtime's best
  encoder.int8.onnx, decoder.int8.onnx, joiner.int8.onnx, tokens.txt
                              quantised with the settings of sherpa-onnx's export script
The graphs take batches of one. Nothing here runs them; onnx_peer.py checks what they compute.
"""

import math
import shutil
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from weights import Weights

# Frames that the table of relative positions is good for: 163 s.
MAX_FRAMES = 2048
OPSET = 17


class Graph:
    """Nodes and initializers under construction. Values are named after what made them."""

    def __init__(self):
        self.nodes, self.initializers, self.count = [], [], 0

    def constant(self, array, name=None):
        self.count += 1
        name = name or f"constant_{self.count}"
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def ints(self, *values):
        return self.constant(np.array(values, dtype=np.int64))

    def op(self, kind, *inputs, outputs=1, **attributes):
        self.count += 1
        names = [f"{kind}_{self.count}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, name=f"{kind}_{self.count}", **attributes))
        return names[0] if outputs == 1 else names

    def linear(self, x, weight, bias=None):
        """x · weightᵀ + bias; a constant right-hand side, as the quantiser wants it."""
        x = self.op("MatMul", x, self.constant(weight.T))
        return x if bias is None else self.op("Add", x, self.constant(bias))

    def named(self, value, name):
        self.nodes.append(helper.make_node("Identity", [value], [name]))

    def model(self, inputs, outputs, metadata=None):
        graph = helper.make_graph(self.nodes, "parakeet", inputs, outputs, self.initializers)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
        model.ir_version = 9
        helper.set_model_props(model, metadata or {})
        return model


def value(name, kind, *shape):
    return helper.make_tensor_value_info(name, kind, list(shape))


class EncoderGraph(Graph):
    def __init__(self, weights):
        super().__init__()
        self.weights, self.args = weights, weights.config["encoder"]
        self.width, self.heads = self.args["d_model"], self.args["n_heads"]

    def tensor(self, name):
        return self.weights[f"encoder.{name}"]

    def bias(self, name):
        return self.tensor(f"{name}.bias") if f"encoder.{name}.bias" in self.weights else None

    def dense(self, x, name):
        weight = self.tensor(f"{name}.weight")
        return self.linear(x, weight.reshape(weight.shape[0], -1), self.bias(name))

    def norm(self, x, name):
        gamma, beta = self.constant(self.tensor(f"{name}.weight")), self.constant(self.tensor(f"{name}.bias"))
        return self.op("LayerNormalization", x, gamma, beta, axis=-1, epsilon=1e-5)

    def silu(self, x):
        return self.op("Mul", x, self.op("Sigmoid", x))

    def convolution(self, x, index, stride, groups):
        weight = self.tensor(f"pre_encode.conv.{index}.weight").transpose(0, 3, 1, 2)
        kernel = weight.shape[2]
        pads = [kernel // 2] * 4
        inputs = [x, self.constant(weight), self.constant(self.tensor(f"pre_encode.conv.{index}.bias"))]
        return self.op(
            "Conv", *inputs, kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=pads, group=groups
        )

    def subsample(self, signal):
        channels = self.args["subsampling_conv_channels"]
        x = self.op("Unsqueeze", self.op("Transpose", signal, perm=[0, 2, 1]), self.ints(1))
        x = self.op("Relu", self.convolution(x, 0, 2, 1))
        for index in range(2, 3 * int(math.log2(self.args["subsampling_factor"])) - 2, 3):
            x = self.convolution(x, index, 2, channels)
            x = self.op("Relu", self.convolution(x, index + 1, 1, 1))
        x = self.op("Reshape", self.op("Transpose", x, perm=[0, 2, 1, 3]), self.ints(1, 0, -1))
        return self.dense(x, "pre_encode.out")

    def positions(self, frames):
        """Sinusoids of the distances frames − 1 … −(frames − 1), cut out of a table."""
        distance = np.arange(MAX_FRAMES - 1, -MAX_FRAMES, -1, dtype=np.float32)[:, None]
        frequency = np.exp(np.arange(0, self.width, 2, dtype=np.float32) * -(math.log(10000.0) / self.width))
        table = np.zeros((1, 2 * MAX_FRAMES - 1, self.width), dtype=np.float32)
        table[0, :, 0::2], table[0, :, 1::2] = np.sin(distance * frequency), np.cos(distance * frequency)
        begin = self.op("Sub", self.ints(MAX_FRAMES), frames)
        end = self.op("Add", self.ints(MAX_FRAMES - 1), frames)
        return self.op("Slice", self.constant(table), begin, end, self.ints(1))

    def heads_of(self, x, order):
        split = self.op("Reshape", x, self.ints(1, -1, self.heads, self.width // self.heads))
        return self.op("Transpose", split, perm=order)

    def attention(self, x, position, frames, at):
        query = self.op(
            "Reshape",
            self.dense(x, f"{at}.linear_q"),
            self.ints(1, -1, self.heads, self.width // self.heads),
        )
        biased = [
            self.op("Transpose", self.op("Add", query, self.constant(self.tensor(f"{at}.pos_bias_{name}"))), perm=[0, 2, 1, 3])
            for name in "uv"
        ]
        keys = self.heads_of(self.dense(x, f"{at}.linear_k"), [0, 2, 3, 1])
        values = self.heads_of(self.dense(x, f"{at}.linear_v"), [0, 2, 1, 3])
        distances = self.heads_of(self.dense(position, f"{at}.linear_pos"), [0, 2, 3, 1])
        content = self.op("MatMul", biased[0], keys)
        shifted = self.shift(self.op("MatMul", biased[1], distances), frames)
        scale = self.constant(np.array(1 / math.sqrt(self.width // self.heads), dtype=np.float32))
        scores = self.op("Softmax", self.op("Mul", self.op("Add", content, shifted), scale), axis=-1)
        mixed = self.op("Transpose", self.op("MatMul", scores, values), perm=[0, 2, 1, 3])
        return self.dense(self.op("Reshape", mixed, self.ints(1, -1, self.width)), f"{at}.linear_out")

    def shift(self, scores, frames):
        """Row i of [frames, 2·frames − 1] moved left by frames − 1 − i, then the first `frames` columns: NeMo's trick."""
        padded = self.op("Pad", scores, self.ints(0, 0, 0, 1, 0, 0, 0, 0))
        shape = self.op("Concat", self.ints(1, self.heads, -1), frames, axis=0)
        turned = self.op("Slice", self.op("Reshape", padded, shape), self.ints(1), self.ints(2**31), self.ints(2))
        length = self.op("Sub", self.op("Mul", frames, self.ints(2)), self.ints(1))
        back = self.op("Reshape", turned, self.op("Concat", self.ints(1, self.heads), frames, length, axis=0))
        return self.op("Slice", back, self.ints(0), frames, self.ints(3))

    def convolve(self, x, at):
        left, right = self.op("Split", self.dense(x, f"{at}.pointwise_conv1"), axis=2, outputs=2)
        x = self.op("Transpose", self.op("Mul", left, self.op("Sigmoid", right)), perm=[0, 2, 1])
        # The batch norm after the convolution, folded in, as exports do.
        scale = self.tensor(f"{at}.batch_norm.weight") / np.sqrt(self.tensor(f"{at}.batch_norm.running_var") + 1e-5)
        weight = self.tensor(f"{at}.depthwise_conv.weight").transpose(0, 2, 1) * scale[:, None, None]
        bias = self.bias(f"{at}.depthwise_conv")
        bias = (0 if bias is None else bias) - self.tensor(f"{at}.batch_norm.running_mean")
        bias = bias * scale + self.tensor(f"{at}.batch_norm.bias")
        inputs = [x, self.constant(weight), self.constant(bias.astype(np.float32))]
        pad = weight.shape[2] // 2
        x = self.op("Conv", *inputs, kernel_shape=[weight.shape[2]], pads=[pad, pad], group=self.width)
        return self.dense(self.op("Transpose", self.silu(x), perm=[0, 2, 1]), f"{at}.pointwise_conv2")

    def feed_forward(self, x, at):
        x = self.dense(self.silu(self.dense(x, f"{at}.linear1")), f"{at}.linear2")
        return self.op("Mul", x, self.constant(np.array(0.5, dtype=np.float32)))

    def layer(self, x, position, frames, at):
        for half, norm, branch in (
            ("feed_forward1", "norm_feed_forward1", lambda y: self.feed_forward(y, f"{at}.feed_forward1")),
            ("self_attn", "norm_self_att", lambda y: self.attention(y, position, frames, f"{at}.self_attn")),
            ("conv", "norm_conv", lambda y: self.convolve(y, f"{at}.conv")),
            ("feed_forward2", "norm_feed_forward2", lambda y: self.feed_forward(y, f"{at}.feed_forward2")),
        ):
            x = self.op("Add", x, branch(self.norm(x, f"{at}.{norm}")))
        return self.norm(x, f"{at}.norm_out")

    def build(self, metadata):
        x = self.subsample("audio_signal")
        frames = self.op("Slice", self.op("Shape", x), self.ints(1), self.ints(2))
        position = self.positions(frames)
        for i in range(self.args["n_layers"]):
            x = self.layer(x, position, frames, f"layers.{i}")
        self.named(self.op("Transpose", x, perm=[0, 2, 1]), "outputs")
        # ceil(length / 8), as three convolutions of stride two give.
        rounded = self.op("Div", self.op("Add", "length", self.ints(7)), self.ints(8))
        self.named(rounded, "encoded_lengths")
        features = self.args["feat_in"]
        inputs = [value("audio_signal", TensorProto.FLOAT, 1, features, "time"), value("length", TensorProto.INT64, 1)]
        outputs = [
            value("outputs", TensorProto.FLOAT, 1, self.width, "frames"),
            value("encoded_lengths", TensorProto.INT64, 1),
        ]
        return self.model(inputs, outputs, metadata)


def predictor(weights):
    graph, args = Graph(), weights.config["decoder"]["prednet"]
    hidden, layers = args["pred_hidden"], args["pred_rnn_layers"]
    embedding = graph.constant(weights["decoder.prediction.embed.weight"])
    x = graph.op("Transpose", graph.op("Gather", embedding, "targets"), perm=[1, 0, 2])
    hs, cs = [], []
    # ONNX wants the gates input, output, forget, cell; PyTorch and MLX have input, forget, cell, output.
    order = lambda w: np.concatenate([np.split(w, 4)[i] for i in (0, 3, 1, 2)])
    for i in range(layers):
        name = f"decoder.prediction.dec_rnn.lstm.{i}"
        bias = np.concatenate([order(weights[f"{name}.bias"]), np.zeros(4 * hidden, dtype=np.float32)])
        constants = [graph.constant(order(weights[f"{name}.{part}"])[None]) for part in ("Wx", "Wh")]
        at = [graph.op("Slice", state, graph.ints(i), graph.ints(i + 1), graph.ints(0)) for state in ("h", "c")]
        y, h, c = graph.op("LSTM", x, *constants, graph.constant(bias[None]), "", *at, outputs=3, hidden_size=hidden)
        x = graph.op("Squeeze", y, graph.ints(1))
        hs.append(h)
        cs.append(c)
    graph.named(graph.op("Transpose", x, perm=[1, 2, 0]), "outputs")
    graph.named("target_length", "prednet_lengths")
    graph.named(graph.op("Concat", *hs, axis=0), "h_next")
    graph.named(graph.op("Concat", *cs, axis=0), "c_next")
    state = lambda name: value(name, TensorProto.FLOAT, layers, 1, hidden)
    return graph.model(
        [value("targets", TensorProto.INT32, 1, "u"), value("target_length", TensorProto.INT32, 1), state("h"), state("c")],
        [value("outputs", TensorProto.FLOAT, 1, hidden, "u"), value("prednet_lengths", TensorProto.INT32, 1), state("h_next"), state("c_next")],
    )


def joiner(weights):
    graph, config = Graph(), weights.config
    part = lambda name: (weights[f"joint.{name}.weight"], weights[f"joint.{name}.bias"])
    encoded = graph.linear(graph.op("Transpose", "encoder_outputs", perm=[0, 2, 1]), *part("enc"))
    predicted = graph.linear(graph.op("Transpose", "decoder_outputs", perm=[0, 2, 1]), *part("pred"))
    mixed = graph.op("Add", graph.op("Unsqueeze", encoded, graph.ints(2)), graph.op("Unsqueeze", predicted, graph.ints(1)))
    graph.named(graph.linear(graph.op("Relu", mixed), *part("joint_net.2")), "outputs")
    outputs = weights.header["joint.joint_net.2.bias"]["shape"][0]
    hidden, width = config["decoder"]["prednet"]["pred_hidden"], config["encoder"]["d_model"]
    return graph.model(
        [value("encoder_outputs", TensorProto.FLOAT, 1, width, "t"), value("decoder_outputs", TensorProto.FLOAT, 1, hidden, "u")],
        [value("outputs", TensorProto.FLOAT, 1, "t", "u", outputs)],
    )


def metadata(weights):
    prednet = weights.config["decoder"]["prednet"]
    return {
        "vocab_size": str(weights.config["decoder"]["vocab_size"]),
        "normalize_type": "per_feature",
        "pred_rnn_layers": str(prednet["pred_rnn_layers"]),
        "pred_hidden": str(prednet["pred_hidden"]),
        "subsampling_factor": "8",
        "model_type": "EncDecRNNTBPEModel",
        "version": "2",
        "model_author": "NeMo",
        # sherpa-onnx takes a model for a TDT model when this says so.
        "url": "parakeet-tdt",
        "feat_dim": str(weights.config["encoder"]["feat_in"]),
    }


def annotate(file, properties):
    model = onnx.load(str(file))
    del model.metadata_props[:]
    helper.set_model_props(model, properties)
    onnx.save(model, str(file))


def build(folder, out):
    weights, properties = Weights(folder), metadata(Weights(folder))
    encoder = EncoderGraph(weights).build(properties)
    onnx.save(encoder, str(out / "encoder.onnx"), save_as_external_data=True, location="encoder.weights")
    del encoder
    quantize_dynamic(
        out / "encoder.onnx",
        out / "encoder.matmul8.onnx",
        op_types_to_quantize=["MatMul"],
        per_channel=True,
        weight_type=QuantType.QInt8,
    )
    quantize_dynamic(out / "encoder.onnx", out / "encoder.int8.onnx", weight_type=QuantType.QUInt8)
    annotate(out / "encoder.int8.onnx", properties)
    for name, make in (("decoder", predictor), ("joiner", joiner)):
        onnx.save(make(weights), str(out / f"{name}.onnx"))
        quantize_dynamic(out / f"{name}.onnx", out / f"{name}.int8.onnx", weight_type=QuantType.QInt8)
    pieces = [*weights.config["joint"]["vocabulary"], "<blk>"]
    (out / "tokens.txt").write_text("".join(f"{piece} {i}\n" for i, piece in enumerate(pieces)), encoding="utf-8")


def ensure(folder, out):
    """The folder of graphs, made under another name until it is whole."""
    out = Path(out)
    if not (out / "tokens.txt").exists():
        work = out.with_name(f"{out.name}.partial")
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        build(folder, work)
        shutil.rmtree(out, ignore_errors=True)
        work.rename(out)
    return out


if __name__ == "__main__":
    print(ensure(sys.argv[1], sys.argv[2]))
