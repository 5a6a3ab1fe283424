// Files on their way to the server.
//
// gRPC-Web has no client streams, so an artifact goes as multipart/form-data to the same port: the one
// call of this client that is not gRPC-Web. A blob in a form is read while it is sent.

import { APIError, TransportError } from "./errors.js";
import type { CallOptions } from "./paging.js";
import { retrying } from "./retrying.js";
import { gatewayOf, type Options } from "./settings.js";

/**
 * Bytes of a file: as they are, or read piece by piece.
 *
 * A large one is best a blob, a page's `File` or what Node's `openAsBlob` gives: it is read while it
 * is sent. What comes in pieces is gathered first, because a retry has to begin anew.
 */
export type FileBytes = Uint8Array<ArrayBuffer> | Blob | AsyncIterable<Uint8Array | string>;

/** A file with its name. */
export class FileUpload {
  filename: string;
  content: FileBytes;
  contentType: string | null;

  constructor(options: { filename: string; content: FileBytes; contentType?: string | null }) {
    this.filename = options.filename;
    this.content = options.content;
    this.contentType = options.contentType ?? null;
  }
}

/** A file, or its name, bytes and maybe type. */
export type Upload = FileUpload | [string, FileBytes] | [string, FileBytes, string | null];

/** Read an upload to its end. */
export async function blobOf(upload: Upload): Promise<{ filename: string; blob: Blob }> {
  const { filename, content, contentType } =
    upload instanceof FileUpload
      ? upload
      : new FileUpload({ filename: upload[0], content: upload[1], contentType: upload[2] ?? null });
  const type = contentType ?? "application/octet-stream";
  return { filename, blob: new Blob(await pieces(content), { type }) };
}

async function pieces(content: FileBytes): Promise<BlobPart[]> {
  if (content instanceof Uint8Array || content instanceof Blob) return [content];
  const read: BlobPart[] = [];
  for await (const piece of content) read.push(piece as Uint8Array<ArrayBuffer> | string);
  return read;
}

/** Posts forms to paths of the REST dialect. */
export class Forms {
  readonly #settings: Required<Options>;

  constructor(settings: Required<Options>) {
    this.#settings = settings;
  }

  /** Post a form with a file, which may be repeated safely, and give the answer's data. */
  post<Model>(path: string, form: FormData, bytes: number, call: CallOptions = {}): Promise<Model> {
    const patience = this.#settings.timeout + (bytes / SLOWEST_BYTES_A_SECOND) * 1000;
    const over = AbortSignal.timeout(call.timeoutMs ?? Math.ceil(patience));
    const signal = call.signal ? AbortSignal.any([call.signal, over]) : over;
    const { retries } = this.#settings;
    return retrying(() => this.#postOnce<Model>(path, form, signal), { retries, signal });
  }

  async #postOnce<Model>(path: string, body: FormData, signal: AbortSignal): Promise<Model> {
    const { baseUrl, apiKey } = this.#settings;
    const headers = { authorization: `Bearer ${apiKey}` };
    try {
      const url = `${gatewayOf(baseUrl)}/api/v1${path}`;
      const response = await fetch(url, { method: "POST", headers, body, signal });
      const answer = (await response.json()) as Answer<Model>;
      if (response.ok) return answer.data;
      throw refused(response, answer);
    } catch (error) {
      if (error instanceof APIError) throw error;
      throw new TransportError(String(error), { cause: error });
    }
  }
}

const SLOWEST_BYTES_A_SECOND = 1 << 20;

interface Answer<Model> {
  data: Model;
  msg: string;
  error?: string;
}

function refused(response: Response, { msg, error }: Answer<unknown>): APIError {
  return new APIError({
    message: msg,
    statusCode: response.status,
    reason: error,
    requestId: response.headers.get("x-request-id") ?? undefined,
  });
}
