import { MAX_STREAM_ID } from '../../codec/constants';
import { IotmpError } from '../../errors';

/**
 * The running counter that stream ids are taken from. One sequence belongs to one device and outlives its
 * connections, because devices deliver answers of an old connection on the new one (`protocol.md` section 4.7).
 */
export class IdSequence {
  #last: number;

  /** @param last the id before the first one, 0..65535 */
  constructor(last = 0) {
    this.#last = last;
  }

  /**
   * The next id that is free, 1..65535.
   * @throws IotmpError IOTMP_ERR_BUSY when every id is taken
   */
  next(isTaken: (id: number) => boolean): number {
    for (let tries = 0; tries < MAX_STREAM_ID; tries++) {
      this.#last = this.#last >= MAX_STREAM_ID ? 1 : this.#last + 1;
      if (!isTaken(this.#last)) return this.#last;
    }
    throw new IotmpError('IOTMP_ERR_BUSY', 'every stream id of this connection is in use');
  }
}
