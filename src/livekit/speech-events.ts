/**
 * Turns as the events of LiveKit's speech streams. Only the shape changes: what happens when is decided in turns.ts.
 */
import type { stt } from '@livekit/agents';
import type { Sentence, TranscriptResult } from '../events.js';
import { agents } from './agents.js';
import type { TurnEvent, TurnText } from './turns.js';

/** What the events of one stream have in common. */
export interface SpeechContext {
  /** Identifies the stream. */
  requestId: string;
  language: string;
  /** Seconds that LiveKit wants added to all times. */
  offset: number;
}

const { SpeechEventType } = agents.stt;

/** LiveKit's event of a turn's event. */
export function speechEventOf(event: TurnEvent, context: SpeechContext): stt.SpeechEvent {
  const { requestId } = context;
  switch (event.type) {
    case 'start':
      return { type: SpeechEventType.START_OF_SPEECH, requestId };
    case 'interim':
      return {
        type: SpeechEventType.INTERIM_TRANSCRIPT,
        requestId,
        alternatives: [speechData(event.interim, context)],
      };
    case 'final':
      return {
        type: SpeechEventType.FINAL_TRANSCRIPT,
        requestId,
        alternatives: [
          { ...speechData(event.sentence, context), words: timedWords(event.sentence, context) },
        ],
      };
    case 'end':
      return {
        type: SpeechEventType.END_OF_SPEECH,
        requestId,
        ...(event.whole && { alternatives: [speechData(event.whole, context)] as [stt.SpeechData] }),
      };
    case 'usage':
      return {
        type: SpeechEventType.RECOGNITION_USAGE,
        requestId,
        recognitionUsage: { audioDuration: event.seconds },
      };
  }
}

/** A whole recording as one final transcript. */
export function finalOf({ text, sentences }: TranscriptResult, context: SpeechContext): stt.SpeechEvent {
  const [first, last] = [sentences[0], sentences.at(-1)];
  const confidences = sentences.map(({ confidence }) => confidence);
  const whole: TurnText = {
    text,
    start: first?.start ?? 0,
    end: last?.end ?? 0,
    confidence: confidences.reduce((sum, one) => sum + one, 0) / Math.max(1, confidences.length),
  };
  return {
    type: SpeechEventType.FINAL_TRANSCRIPT,
    requestId: context.requestId,
    alternatives: [
      {
        ...speechData(whole, context),
        words: sentences.flatMap((sentence) => timedWords(sentence, context)),
      },
    ],
  };
}

function speechData(
  { text, start, end, confidence }: TurnText,
  { language, offset }: SpeechContext,
): stt.SpeechData {
  return {
    language: agents.asLanguageCode(language),
    text,
    startTime: start + offset,
    endTime: end + offset,
    confidence,
  };
}

const timedWords = ({ words }: Sentence, { offset }: SpeechContext) =>
  words.map(({ text, start, end, confidence }) =>
    agents.createTimedString({
      text,
      startTime: start + offset,
      endTime: end + offset,
      confidence,
      startTimeOffset: offset,
    }),
  );
