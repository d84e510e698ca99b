import { MAX_STREAM_ID } from '../../codec/constants';
import { IotmpError } from '../../errors';

/** The first ids of every Linux device, whose generator nobody seeds (`protocol.md` section 4.7). */
const FIRST_IDS: ReadonlySet<number> = new Set([17767, 9158, 39017, 18547]);

/** Maximum number of ids of the peer that are remembered. The oldest is forgotten first. */
const MAX_PEER_IDS = 128;
/** The same for streams that may be left at the peer. */
const MAX_LEFT = 4096;

/**
 * The running counter that stream ids are taken from. One sequence belongs to one device and outlives its
 * connections, because devices deliver answers of an old connection on the new one (`protocol.md` section 4.7). The ids
 * of both sides share one space, so the sequence of a server leaves out the ids that its device uses. Each sequence leaves
 * out the ids of streams that may still be open at the peer.
 */
export class IdSequence {
  readonly #heedsPeer: boolean;
  #last: number;
  /** The first id of the peer, or 0. Most devices draw no other: a set of one would be larger than all else here. */
  #firstOfPeer = 0;
  #ofPeer: Set<number> | undefined;
  #left: Set<number> | undefined;

  /**
   * @param last the id before the first one, 0..65535
   * @param heedsPeer whether the ids of the peer are left out. If both ends did so, their counters would run together.
   */
  constructor(last = 0, heedsPeer = false) {
    this.#last = last;
    this.#heedsPeer = heedsPeer;
  }

  /** Ids of streams that may be open at the peer. */
  get left(): readonly number[] {
    return this.#left === undefined ? [] : [...this.#left];
  }

  /**
   * The next id that is free, 1..65535.
   * @throws IotmpError IOTMP_ERR_BUSY when every id is taken
   */
  next(isTaken: (id: number) => boolean): number {
    for (let tries = 0; tries < MAX_STREAM_ID; tries++) {
      this.#last = this.#last >= MAX_STREAM_ID ? 1 : this.#last + 1;
      if (!this.#isKept(this.#last) && !isTaken(this.#last)) return this.#last;
    }
    throw new IotmpError('IOTMP_ERR_BUSY', 'every stream id of this connection is in use');
  }

  /** Notes an id that the peer has drawn. */
  notePeer(id: number): void {
    if (!this.#heedsPeer || this.#isOfPeer(id)) return;
    if (this.#firstOfPeer === 0) {
      this.#firstOfPeer = id;
      return;
    }
    this.#ofPeer ??= new Set([this.#firstOfPeer]);
    addBounded(this.#ofPeer, id, MAX_PEER_IDS);
  }

  /** Notes a stream that the peer keeps until it is stopped, also over connections. */
  noteOpened(id: number): void {
    this.#left ??= new Set();
    addBounded(this.#left, id, MAX_LEFT);
  }

  /** Notes that nothing of a stream is left at the peer. */
  noteEnded(id: number): void {
    this.#left?.delete(id);
  }

  #isKept(id: number): boolean {
    if (this.#left?.has(id) === true) return true;
    return this.#heedsPeer && this.#isOfPeer(id);
  }

  #isOfPeer(id: number): boolean {
    return FIRST_IDS.has(id) || (this.#ofPeer?.has(id) ?? id === this.#firstOfPeer);
  }
}

function addBounded(ids: Set<number>, id: number, limit: number): void {
  ids.add(id);
  if (ids.size <= limit) return;
  for (const oldest of ids) {
    ids.delete(oldest);
    return;
  }
}
