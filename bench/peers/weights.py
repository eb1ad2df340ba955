"""A model folder's config and tensors as NumPy arrays, float32 whatever is stored. Reads; knows no engine."""

import json
from pathlib import Path

import numpy as np


class Weights:
    def __init__(self, folder):
        self.folder = Path(folder)
        self.config = json.loads((self.folder / "config.json").read_text())
        file = self.folder / "model.safetensors"
        with file.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            self.header = json.loads(stream.read(length))
        self.data = np.memmap(file, dtype=np.uint8, mode="r", offset=8 + length)

    def __contains__(self, name):
        return name in self.header

    def __getitem__(self, name):
        entry = self.header[name]
        begin, end = entry["data_offsets"]
        raw = self.data[begin:end]
        if entry["dtype"] == "BF16":
            values = (raw.view(np.uint16).astype(np.uint32) << 16).view(np.float32)
        elif entry["dtype"] == "F32":
            values = raw.view(np.float32)
        else:
            raise ValueError(f"Expected F32 or BF16 for {name} but found {entry['dtype']}")
        return np.array(values.reshape(entry["shape"]))
