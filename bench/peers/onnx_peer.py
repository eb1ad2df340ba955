"""ONNX Runtime as a peer of bench/encoder.mjs. Usage: onnx_peer.py MODEL_FOLDER GRAPH_FOLDER float32|int8 THREADS"""

import sys
from pathlib import Path

import numpy as np
import onnxruntime
from parakeet_onnx import ensure
from serve import features_of, serve, timed


def main():
    folder = Path(ensure(sys.argv[1], sys.argv[2]))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(sys.argv[4])
    options.log_severity_level = 3
    name = {"float32": "encoder.onnx", "int8": "encoder.matmul8.onnx"}[sys.argv[3]]
    session = onnxruntime.InferenceSession(str(folder / name), options, providers=["CPUExecutionProvider"])

    def encoder(job):
        signal = np.ascontiguousarray(features_of(job).T[None])
        length = np.array([signal.shape[2]], dtype=np.int64)
        seconds, (frames, _) = timed(lambda: session.run(None, {"audio_signal": signal, "length": length}))
        return seconds, frames[0].T

    serve({"encoder": encoder})


if __name__ == "__main__":
    main()
