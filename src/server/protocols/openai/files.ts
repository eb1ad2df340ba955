/** `POST /v1/audio/transcriptions` and `GET /v1/models`: OpenAI's API for files. */
import type { FastifyReply } from 'fastify';
import type { Protocol } from '../../context.js';
import { openaiError } from '../../error-answers.js';
import { logFailure } from '../../failures.js';
import type { FileTranscript } from '../../files/file-job.js';
import { EventStream } from '../../sockets/event-stream.js';
import { protocolError } from '../../sockets/messages.js';
import { answerOf, usageOf } from './answer.js';
import type { TranscriptionForm } from './form.js';
import { TranscriptionUpload } from './upload.js';

export const openaiFiles: Protocol = (app, context) => {
  app.post('/v1/audio/transcriptions', async (request, reply) => {
    if (!request.isMultipart())
      throw protocolError('Expected a form (multipart/form-data) with a field file');
    const events = new EventStream(reply);
    const upload = new TranscriptionUpload(request, reply, context, async (text) => {
      await events.send({ type: 'transcript.text.delta', delta: events.begun ? text : text.trimStart() });
    });
    try {
      const transcript = await upload.transcribe();
      if (upload.form.stream) return await endStream(events, transcript);
      setWarnings(reply, upload.form);
      const { type, body } = await answerOf(transcript, upload.form);
      return await reply.type(type).send(body);
    } catch (error) {
      if (!events.begun) throw error;
      // The status is sent already.
      context.metrics.failed(error);
      const failure = logFailure(request.log, error, 'streamed answer');
      await events.send({ type: 'error', ...openaiError(failure) });
      events.end();
      return reply;
    }
  });

  const created = Math.floor(Date.now() / 1000);
  const model = { id: context.modelName, object: 'model', created, owned_by: 'parakeet-stream' };
  app.get('/v1/models', async () => ({ object: 'list', data: [model] }));
  app.get<{ Params: { id: string } }>('/v1/models/:id', async ({ params }, reply) => {
    if (params.id === model.id) return model;
    const message = `Expected the model ${model.id} but received ${params.id}`;
    const failure = { status: 404, closeCode: 1008, code: 'model_not_found', message, retryAfter: undefined };
    return reply.code(404).send(openaiError(failure, 'model'));
  });
};

async function endStream(events: EventStream, transcript: FileTranscript): Promise<FastifyReply> {
  await events.send({ type: 'transcript.text.done', text: transcript.text, usage: usageOf(transcript) });
  return events.end();
}

/** Tells which fields have no effect; 299 is HTTP's code for a lasting one. */
function setWarnings(reply: FastifyReply, { ignored }: TranscriptionForm): void {
  if (ignored.length === 0) return;
  const names = ignored.map((name) => name.replace(/[^\w[\].-]/g, '')).join(', ');
  reply.header('warning', `299 - "without effect here: ${names}"`);
}
