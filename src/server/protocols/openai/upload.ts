/**
 * The upload of a form: the file is transcribed while it comes if the fields that decide how stand before it; else it is kept in a temporary
 * file until they have come.
 */
import type { Readable } from 'node:stream';
import type { Multipart, MultipartFile } from '@fastify/multipart';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ServerContext } from '../../context.js';
import { clientSignal, type FileTranscript, runFile } from '../../files/file-job.js';
import { UploadGuard } from '../../files/upload-guard.js';
import { UploadSpool } from '../../files/upload-spool.js';
import { protocolError } from '../../sockets/messages.js';
import { TranscriptionForm } from './form.js';

const MOST_FIELDS = 64;
const MOST_FIELD = 64 * 1024;

/** Told when the words may go out: called once, with the first of them, if the form asks for a stream. */
export type OnToken = (text: string) => Promise<void>;

export class TranscriptionUpload {
  readonly form = new TranscriptionForm();
  readonly #context: ServerContext;
  readonly #request: FastifyRequest;
  readonly #onToken: OnToken;
  readonly #signal: AbortSignal;
  #spool: UploadSpool | undefined;
  /** The transcription of the file as it came, and whether the prompt was known by then. */
  #running: Promise<FileTranscript> | undefined;
  #early = { prompt: false, stream: false };
  #hasFile = false;

  constructor(request: FastifyRequest, reply: FastifyReply, context: ServerContext, onToken: OnToken) {
    this.#context = context;
    this.#request = request;
    this.#onToken = onToken;
    this.#signal = clientSignal(reply, context);
  }

  /** The transcript of the file in the form. */
  async transcribe(): Promise<FileTranscript> {
    const release = this.#context.admission.upload();
    try {
      // A file that cannot be transcribed is not read to its end, nor is the form; a client that has gone sends no end of it.
      await new Promise<void>((resolve, reject) => {
        this.#signal.addEventListener('abort', () => reject(this.#signal.reason));
        this.#read(reject).then(resolve, (error) => reject(asFormError(error)));
      });
      if (!this.#hasFile) throw protocolError('Expected a field file with the sound but there is none');
      return await this.#finish();
    } finally {
      this.#running?.catch(() => {});
      await this.#spool?.remove();
      release();
    }
  }

  async #read(onFailure: (error: Error) => void): Promise<void> {
    const limits = {
      files: 1,
      fields: MOST_FIELDS,
      fieldSize: MOST_FIELD,
      fileSize: Number.POSITIVE_INFINITY,
    };
    for await (const part of this.#request.parts({ limits }) as AsyncIterable<Multipart>) {
      if (part.type === 'field') this.#field(part.fieldname, part.value);
      else if (part.fieldname !== 'file')
        throw protocolError(`Expected one file, in the field file, but received ${part.fieldname}`);
      else await this.#file(part, onFailure);
    }
  }

  #field(name: string, value: unknown): void {
    if (typeof value !== 'string') throw protocolError(`Expected text in the field ${name}`);
    this.form.add(name, value);
  }

  async #file(part: MultipartFile, onFailure: (error: Error) => void): Promise<void> {
    this.#hasFile = true;
    const { maxBody, maxSpool, idleTimeout } = this.#context.settings;
    const spool = new UploadSpool(maxSpool);
    this.#spool = spool;
    const limits = { most: maxBody, idle: idleTimeout };
    if (!this.form.has('model')) {
      // A client that sends the file first may send all fields behind it.
      for await (const bytes of UploadGuard.of(part.file, limits)) await spool.write(bytes as Buffer);
      return;
    }
    this.#early = { prompt: this.form.has('prompt'), stream: this.form.stream };
    const keep = async (bytes: Buffer) => {
      if (this.#spool === undefined) return;
      if (spool.hasRoomFor(bytes.length)) return spool.write(bytes);
      this.#spool = undefined;
      await spool.remove();
    };
    const source = UploadGuard.of(part.file, this.#early.prompt ? limits : { ...limits, inspect: keep });
    this.#running = this.#run(source, this.#early.stream);
    this.#running.catch(onFailure);
  }

  async #finish(): Promise<FileTranscript> {
    const { form } = this;
    if (this.#running) {
      const isLate = !this.#early.prompt && form.boost.length > 0;
      if (!isLate) return this.#running;
      if (this.#early.stream || this.#spool === undefined)
        throw protocolError('Expected prompt before file: what was sent cannot be changed any more');
      await this.#running;
    }
    return this.#run(await (this.#spool as UploadSpool).read(), form.stream);
  }

  #run(source: Readable, stream: boolean): Promise<FileTranscript> {
    return runFile(
      {
        ...{ protocol: 'openai', source, input: {}, boost: this.form.boost, signal: this.#signal },
        onToken: stream ? this.#onToken : undefined,
      },
      this.#context,
    );
  }
}

/** What the parser of forms says without a code is about the form. */
function asFormError(error: Error & { code?: string }): Error {
  return error.code === undefined
    ? protocolError(`Expected a complete form but it is not: ${error.message}`)
    : error;
}
