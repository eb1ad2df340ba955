/** `POST /v1/listen`: Deepgram's API for files. The body is the file; addresses to fetch are refused. */
import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import type { Protocol } from '../../context.js';
import { prepareFailure } from '../../error-answers.js';
import { clientSignal, type FileTranscript, runFile } from '../../files/file-job.js';
import { UploadGuard } from '../../files/upload-guard.js';
import { protocolError } from '../../sockets/messages.js';
import { metadataOf } from './live.js';
import { type ListenParameters, readParameters } from './parameters.js';
import { alternativeOf, rounded } from './words.js';

export const deepgramFile: Protocol = (app, context) => {
  acceptAnyBody(app);
  app.setErrorHandler((error, request, reply) => {
    const { code, message } = prepareFailure(error, request, reply, context.metrics);
    return reply.send({ err_code: code, err_msg: message, request_id: request.id });
  });
  app.post('/v1/listen', async (request, reply) => {
    const parameters = readParameters(request.url);
    if (parameters.separate > 1)
      throw protocolError('Expected no multichannel: the channels of a file are mixed here');
    if (request.headers['content-type']?.startsWith('application/json'))
      throw protocolError('Expected the file in the body: this server fetches no addresses');
    const created = new Date().toISOString();
    const hash = createHash('sha256');
    const { maxBody, idleTimeout } = context.settings;
    const source = UploadGuard.of(request.body as Readable, {
      most: maxBody,
      idle: idleTimeout,
      inspect: (bytes) => void hash.update(bytes),
    });
    const { input, boost } = parameters;
    const signal = clientSignal(reply, context);
    const release = context.admission.upload();
    const job = { protocol: 'deepgram', source, input, boost, signal };
    const transcript = await runFile(job, context).finally(release);
    const { request_id, model_uuid, model_info } = metadataOf(request.id, context);
    const metadata = {
      transaction_key: 'deprecated',
      request_id,
      sha256: hash.digest('hex'),
      created,
      duration: rounded(transcript.duration),
      channels: 1,
      models: [model_uuid],
      model_info: { [model_uuid]: model_info },
      ...(parameters.warnings.length > 0 && { warnings: parameters.warnings }),
    };
    return { metadata, results: resultsOf(transcript, parameters) };
  });
};

/** Bodies of all types come as streams. */
function acceptAnyBody(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_, payload, done) => done(null, payload));
}

function resultsOf({ text, sentences }: FileTranscript, { punctuate }: ListenParameters): object {
  const words = sentences.flatMap((sentence) => sentence.words);
  const confidence =
    words.length === 0 ? 0 : words.reduce((sum, word) => sum + word.confidence, 0) / words.length;
  return { channels: [{ alternatives: [alternativeOf(text, confidence, words, punctuate)] }] };
}
