"""sherpa-onnx as a peer of bench/encoder.mjs: int8, audio to text. Usage: sherpa_peer.py MODEL_FOLDER GRAPH_FOLDER THREADS"""

import sys
from pathlib import Path

import sherpa_onnx
from parakeet_onnx import ensure
from serve import audio_of, serve, timed


def main():
    folder = Path(ensure(sys.argv[1], sys.argv[2]))
    recognizer = sherpa_onnx.OfflineRecognizer.from_transducer(
        encoder=str(folder / "encoder.int8.onnx"),
        decoder=str(folder / "decoder.int8.onnx"),
        joiner=str(folder / "joiner.int8.onnx"),
        tokens=str(folder / "tokens.txt"),
        num_threads=int(sys.argv[3]),
        model_type="nemo_transducer",
    )

    def end_to_end(job):
        audio = audio_of(job)

        def work():
            stream = recognizer.create_stream()
            stream.accept_waveform(16000, audio)
            recognizer.decode_stream(stream)

        return timed(work)

    serve({"endToEnd": end_to_end})


if __name__ == "__main__":
    main()
