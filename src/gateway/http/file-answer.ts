import type { ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { OpenFile } from '../../store/files/file-store';
import type { LiveAnswer } from './answer';
import { mediaTypeOf } from './media-type';
import { asError } from '../../errors';
import { detached, guarded, warnProcess } from '../../util/guard';

/** What the answer with a file must heed. */
export interface FileAnswerOptions {
  /** Ends it; aborts also when the client is gone or has everything. */
  readonly signal: AbortSignal;
  /** Time after which a client that takes nothing is cut off, in ms. */
  readonly drainTimeoutMs: number;
}

/** Whatever a page in a storage holds, it must not act as one of this server. */
const NO_SCRIPTS = "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; sandbox";

/** An answer with the content of a file, sent as the client takes it. */
export function fileAnswer(file: OpenFile, options: FileAnswerOptions): LiveAnswer {
  const { content } = file;
  const release = guarded('file released', warnProcess, () => content.destroy());
  // The client may be gone before anything is sent.
  options.signal.addEventListener('abort', release, { once: true });
  if (options.signal.aborted) release();
  return {
    serve(response) {
      const onFault = (error: unknown): void => void response.destroy(asError(error));
      detached('file sent', onFault, send(response, file, options));
    },
  };
}

async function send(
  response: ServerResponse,
  { path, size, modified, content }: OpenFile,
  { signal, drainTimeoutMs }: FileAnswerOptions,
): Promise<void> {
  const type = mediaTypeOf(path);
  response.writeHead(200, {
    'Content-Length': size,
    // Nothing is no JSON, and is not to be read as such.
    ...(size > 0 || !type.startsWith('application/json') ? { 'Content-Type': type } : {}),
    'Content-Security-Policy': NO_SCRIPTS,
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
    'Cache-Control': 'no-store',
    'Last-Modified': new Date(modified).toUTCString(),
  });
  if (response.req.method === 'HEAD') {
    content.destroy();
    response.end();
    return;
  }
  response.setTimeout(
    drainTimeoutMs,
    guarded('file timeout', warnProcess, () => response.destroy()),
  );
  try {
    await pipeline(content, response, { signal });
  } catch {
    // The client went away, or the file cannot be read: it sees that by the missing end.
    response.destroy();
  }
}
