"""The peers' side of bench/encoder.mjs: answers each job, a line of JSON on stdin, with a line of JSON that says how long it took.

A job is {"what": "encoder" | "endToEnd" | "stream", "input": FILE, "rows": frames (encoder), "push": samples (stream),
"output": FILE or null (encoder: where its frames go, float32, [frames, width])}.
"""

import json
import sys
import time

import numpy as np


def features_of(job):
    """Normalised features [frames, bins] of an encoder job."""
    return np.fromfile(job["input"], dtype=np.float32).reshape(job["rows"], -1)


def audio_of(job):
    return np.fromfile(job["input"], dtype=np.float32)


def timed(work):
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def serve(handlers):
    """`handlers[what](job)` returns seconds, and frames or None."""
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        job = json.loads(line)
        seconds, frames = handlers[job["what"]](job)
        if job.get("output") and frames is not None:
            np.ascontiguousarray(frames, dtype=np.float32).tofile(job["output"])
        print(json.dumps({"seconds": seconds}), flush=True)
