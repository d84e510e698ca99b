import type { EventFeed } from '../broker/event-feed';
import { errorText } from '../errors';
import type { BucketRange } from '../store/bucket-query';
import type { RowPage } from '../store/bucket-row';
import type { Store } from '../store/store';
import { systemClock, type Clock } from '../util/clock';

/** Who did something: a user through the API, somebody in the editor, a deploy, a flow, or the server itself. */
export type AuditActor = 'api' | 'editor' | 'deploy' | 'flow' | 'server';

/** Something that was done, or refused. It never holds a secret. */
export interface AuditEntry {
  readonly actor: AuditActor;
  /** The user that acted; '' where that is not known. */
  readonly by: string;
  /** The name of the token that was used, if one was. */
  readonly token?: string;
  /** Such as `DeleteDevice`. */
  readonly action: string;
  /** What it was done to, such as `anna/pump`. */
  readonly target: string;
  /** 200 and above as in HTTP; 403 was refused. */
  readonly status: number;
  /** The address of whoever acted, if it is known. */
  readonly address?: string;
}

/** What an audit log is made of. */
export interface AuditLogPort {
  readonly store: Store | Promise<Store>;
  readonly events: Pick<EventFeed, 'publish'>;
  readonly warn: (text: string) => void;
  readonly clock?: Clock;
}

/** No path and no user of a device has this name. */
const BUCKET = { user: '/..', bucket: 'audit' } as const;
/** How long entries are kept, and how many. */
const RETENTION = { retention: { period: 90, unit: 'days', count: 100_000 } } as const;
/** Longest text of a member, in characters. */
const MAX_TEXT = 256;
/** Refusals of one actor that are kept in a minute. */
const REFUSALS = 10;
const MINUTE_MS = 60_000;
const REFUSED = 403;

/**
 * Who did what to devices, tokens, users, files and the server: kept for 90 days and 100,000 entries at most, and told as the event
 * `audit_entry`, which belongs to no user. What cannot be kept is a gap, which is counted, and told once until entries are kept again.
 * What the server removes because its time is over, as of rows, tokens and these entries, is no deed of anybody and has no entry.
 */
export class AuditLog {
  readonly #port: AuditLogPort;
  readonly #clock: Clock;
  readonly #refusals = new Map<string, number>();
  #minute = 0;
  #gaps = 0;
  #isGap = false;

  constructor(port: AuditLogPort) {
    this.#port = port;
    this.#clock = port.clock ?? systemClock;
  }

  /** Entries that could not be kept. */
  get gaps(): number {
    return this.#gaps;
  }

  /** Keeps an entry; resolves when it is on the disk, or could not be kept. Never rejects. */
  async record(entry: AuditEntry): Promise<void> {
    if (entry.status === REFUSED && !this.#mayRefuse(entry)) return;
    const value = Object.fromEntries(
      Object.entries<string | number>({ ...entry }).map(([name, member]) => [name, shortened(member)]),
    );
    this.#port.events.publish({ ...value, event: 'audit_entry', user: '', ts: Date.now() });
    try {
      const store = await this.#port.store;
      await store.buckets.write(BUCKET, [{ value }], RETENTION);
      this.#isGap = false;
    } catch (error) {
      this.#gaps++;
      if (!this.#isGap) this.#port.warn(`the audit log has a gap: ${errorText(error)}`);
      this.#isGap = true;
    }
  }

  /** Entries, the newest first unless asked for otherwise. */
  async read(query: BucketRange): Promise<RowPage> {
    const store = await this.#port.store;
    if ((await store.buckets.get(BUCKET)) === undefined) return { rows: [] };
    return store.buckets.range(BUCKET, { sort: 'desc', ...query });
  }

  /** Whoever is refused again and again must not push out what others did. */
  #mayRefuse({ by, address = '' }: AuditEntry): boolean {
    const minute = Math.floor(this.#clock.now() / MINUTE_MS);
    if (minute !== this.#minute) this.#refusals.clear();
    this.#minute = minute;
    const actor = `${by} ${address}`;
    const count = (this.#refusals.get(actor) ?? 0) + 1;
    this.#refusals.set(actor, count);
    return count <= REFUSALS;
  }
}

function shortened(member: string | number): string | number {
  return typeof member === 'string' ? member.slice(0, MAX_TEXT) : member;
}
