import { BoundedMap } from '../../util/bounded-map';
import type { Clock } from '../../util/clock';

/** An address that is closed for a time. */
export interface AddressBlock {
  /** The address; of IPv6 its network. */
  readonly address: string;
  /** Begin and end of the block, in ms since 1970. */
  readonly since: number;
  readonly until: number;
  /** Number of tries and connections that were turned away so far, in this block and in those just before it. */
  readonly tries: number;
}

interface Entry extends AddressBlock {
  tries: number;
  /** Length of the block, in ms. */
  readonly lengthMs: number;
  /** Its end, on the clock's scale. */
  readonly endsAt: number;
}

/** Length of the first block; each further one is twice as long, up to the longest. In ms. */
const FIRST_MS = 15_000;
const LONGEST_MS = 900_000;
/** Time after which a block that has ended is forgotten, in ms. */
const FORGET_MS = 3_600_000;
/** Maximum number of addresses. The address that was blocked longest ago is let go. */
const MAX_ADDRESSES = 10_000;

/** The addresses whose connections are cut as they come. */
export class AddressBlocks {
  readonly #clock: Clock;
  readonly #entries = new BoundedMap<string, Entry>(MAX_ADDRESSES);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The blocks that last, the oldest first. */
  get list(): readonly AddressBlock[] {
    const now = this.#clock.now();
    const lasting = [...this.#entries.values()].filter(({ endsAt }) => endsAt > now);
    return lasting.map(({ address, since, until, tries }) => ({ address, since, until, tries }));
  }

  /** Whether an address is blocked. */
  has(address: string): boolean {
    return this.#lasting(address) !== undefined;
  }

  /** Counts a connection or a try of an address, if that is blocked. Returns whether it is. */
  turnsAway(address: string): boolean {
    const entry = this.#lasting(address);
    if (entry === undefined) return false;
    entry.tries++;
    return true;
  }

  /** Blocks an address. */
  add(address: string): AddressBlock {
    const now = this.#clock.now();
    const before = this.#entries.get(address);
    const again = before !== undefined && now - before.endsAt < FORGET_MS ? before : undefined;
    const lengthMs = again === undefined ? FIRST_MS : Math.min(2 * again.lengthMs, LONGEST_MS);
    const since = Date.now();
    const entry = {
      address,
      since,
      until: since + lengthMs,
      tries: (again?.tries ?? 0) + 1,
      lengthMs,
      endsAt: now + lengthMs,
    };
    this.#entries.set(address, entry);
    return entry;
  }

  /** Forgets an address and its blocks. Returns whether it was blocked. */
  lift(address: string): boolean {
    const isBlocked = this.has(address);
    this.#entries.delete(address);
    return isBlocked;
  }

  #lasting(address: string): Entry | undefined {
    if (this.#entries.size === 0) return undefined;
    const entry = this.#entries.get(address);
    return entry !== undefined && entry.endsAt > this.#clock.now() ? entry : undefined;
  }
}
