"""parakeet-mlx as a peer of bench/encoder.mjs, in bfloat16, its own default. Usage: parakeet_mlx_peer.py MODEL_FOLDER"""

import json
import sys
from pathlib import Path

import mlx.core as mx
from mlx.utils import tree_flatten, tree_unflatten
from parakeet_mlx.audio import get_logmel
from parakeet_mlx.utils import from_config
from serve import audio_of, features_of, serve, timed


def load(folder):
    model = from_config(json.loads((folder / "config.json").read_text()))
    model.load_weights(str(folder / "model.safetensors"))
    weights = [(name, value.astype(mx.bfloat16)) for name, value in tree_flatten(model.parameters())]
    model.update(tree_unflatten(weights))
    mx.eval(model.parameters())
    return model


def main():
    model = load(Path(sys.argv[1]))

    def encoder(job):
        features = mx.array(features_of(job)[None]).astype(mx.bfloat16)

        def work():
            frames, _ = model.encoder(features)
            mx.eval(frames)
            return frames

        seconds, frames = timed(work)
        return seconds, frames[0].astype(mx.float32)

    def end_to_end(job):
        audio = mx.array(audio_of(job))  # float32: its log-mel refuses other types
        return timed(lambda: model.generate(get_logmel(audio, model.preprocessor_config)) and None)

    def stream(job):
        audio, push = audio_of(job), job["push"]

        def work():
            # Its banded attention is a Metal kernel, so that on a CPU only the original attention runs at all.
            with model.transcribe_stream(context_size=(256, 256), keep_original_attention=True) as live:
                for at in range(0, len(audio), push):
                    live.add_audio(mx.array(audio[at : at + push]))

        return timed(work)

    serve({"encoder": encoder, "endToEnd": end_to_end, "stream": stream})


if __name__ == "__main__":
    main()
