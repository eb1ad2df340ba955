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

type Spoken = Pick<FileTranscript, 'text' | 'sentences'>;

export const deepgramFile: Protocol = (app, context) => {
  acceptAnyBody(app);
  app.setErrorHandler((error, request, reply) => {
    const { code, message } = prepareFailure(error, request, reply, context.metrics);
    return reply.send({ err_code: code, err_msg: message, request_id: request.id });
  });
  app.post('/v1/listen', async (request, reply) => {
    const parameters = readParameters(request.url);
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
    const { input, boost, multichannel } = parameters;
    const signal = clientSignal(reply, context);
    const release = context.admission.upload();
    const job = { protocol: 'deepgram', source, input, boost, signal, separate: multichannel };
    const transcript = await runFile(job, context).finally(release);
    const { request_id, model_uuid, model_info } = metadataOf(request.id, context);
    const channels = multichannel && transcript.duration > 0 ? channelsOf(transcript) : [transcript];
    const metadata = {
      transaction_key: 'deprecated',
      request_id,
      sha256: hash.digest('hex'),
      created,
      duration: rounded(transcript.duration),
      channels: channels.length,
      models: [model_uuid],
      model_info: { [model_uuid]: model_info },
      ...(parameters.warnings.length > 0 && { warnings: parameters.warnings }),
    };
    return { metadata, results: { channels: channels.map((one) => resultsOf(one, parameters)) } };
  });
};

/** Bodies of all types come as streams. */
function acceptAnyBody(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_, payload, done) => done(null, payload));
}

/** What each channel says, in the order of the channels. */
function channelsOf({ speakers, sentences }: FileTranscript): Spoken[] {
  return speakers.map((speaker) => {
    const own = sentences.filter((sentence) => sentence.speaker === speaker);
    return { sentences: own, text: own.map(({ text }) => text).join(' ') };
  });
}

function resultsOf({ text, sentences }: Spoken, { punctuate }: ListenParameters): object {
  const words = sentences.flatMap((sentence) => sentence.words);
  const confidence =
    words.length === 0 ? 0 : words.reduce((sum, word) => sum + word.confidence, 0) / words.length;
  return { alternatives: [alternativeOf(text, confidence, words, punctuate)] };
}
