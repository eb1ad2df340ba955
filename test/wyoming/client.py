"""Home Assistant's client, PyPI's `wyoming`, against a server: prints what it received as JSON.

Arguments: host, port, a file of 16-bit PCM at 16 kHz.
"""

import asyncio
import json
import sys

from wyoming.asr import Transcribe, Transcript, TranscriptChunk, TranscriptStart, TranscriptStop
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.info import Describe, Info
from wyoming.ping import Ping, Pong

FORMAT = {"rate": 16_000, "width": 2, "channels": 1}


async def transcribe(client, pcm):
    await client.write_event(Transcribe(language="en", transcript_names=["Americans"]).event())
    await client.write_event(AudioStart(**FORMAT).event())
    for at in range(0, len(pcm), 2048):
        await client.write_event(AudioChunk(audio=pcm[at : at + 2048], **FORMAT).event())
    await client.write_event(AudioStop().event())
    types, chunks = [], []
    while True:
        event = await client.read_event()
        types.append(event.type)
        if TranscriptChunk.is_type(event.type):
            chunks.append(TranscriptChunk.from_event(event).text)
        if Transcript.is_type(event.type):
            text = Transcript.from_event(event).text
        if TranscriptStop.is_type(event.type):
            return {"text": text, "chunks": chunks, "types": types}


async def main(host, port, file):
    with open(file, "rb") as sound:
        pcm = sound.read()
    async with AsyncTcpClient(host, int(port)) as client:
        await client.write_event(Describe().event())
        info = Info.from_event(await client.read_event())
        await client.write_event(Ping(text="hello").event())
        pong = Pong.from_event(await client.read_event())
        # One connection, two requests.
        results = [await transcribe(client, pcm) for _ in range(2)]
    model = info.asr[0].models[0]
    print(
        json.dumps(
            {
                "model": model.name,
                "languages": model.languages,
                "streaming": info.asr[0].supports_transcript_streaming,
                "pong": pong.text,
                "results": results,
            }
        )
    )


asyncio.run(main(*sys.argv[1:]))
