import { IotmpError } from '../../errors';
import { fileTooLarge } from './file-errors';

/** Files that may be written at once. */
const MAX_WRITES = 16;

/** The content as long as it is not too long; then it ends with IOTMP_ERR_TOO_LARGE. */
export async function* limitedContent(
  content: AsyncIterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<Uint8Array, undefined> {
  let size = 0;
  for await (const chunk of content) {
    size += chunk.length;
    if (size > maxBytes) throw fileTooLarge(maxBytes);
    yield chunk;
  }
}

/** Places for files that are being written: what has come of them takes room that nobody counts yet. */
export class WritePlaces {
  #taken = 0;

  /** Does the work in a place of its own; rejects with IOTMP_ERR_BUSY when there is none. */
  async use<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#taken >= MAX_WRITES) throw new IotmpError('IOTMP_ERR_BUSY', 'too many files are being written');
    this.#taken++;
    try {
      return await work();
    } finally {
      this.#taken--;
    }
  }
}
