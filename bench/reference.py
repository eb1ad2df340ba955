"""parakeet-mlx as the reference of bench/wer.mjs: greedy transcripts of features that our own front end made.

Usage: reference.py MODEL_FOLDER. Reads lines `{"features": FILE, "frames": N, "bins": F}` on stdin (FILE: float32, row-major)
and answers each with a line `{"text": ...}`, in float32. Takes no audio: that would compare the front ends too.
"""

import json
import sys
from pathlib import Path

import mlx.core as mx
import numpy as np
from mlx.utils import tree_flatten, tree_unflatten
from parakeet_mlx.utils import from_config


def load(folder):
    model = from_config(json.loads((folder / "config.json").read_text()))
    model.load_weights(str(folder / "model.safetensors"))
    weights = [(name, value.astype(mx.float32)) for name, value in tree_flatten(model.parameters())]
    model.update(tree_unflatten(weights))
    return model


def main():
    model = load(Path(sys.argv[1]))
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        job = json.loads(line)
        features = np.fromfile(job["features"], dtype=np.float32).reshape(1, job["frames"], job["bins"])
        result = model.generate(mx.array(features))[0]
        print(json.dumps({"text": result.text.strip()}), flush=True)


if __name__ == "__main__":
    main()
