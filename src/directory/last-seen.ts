import { z } from 'zod';
import { errorText, IotmpError } from '../errors';
import { resourceHash } from '../session/hosting/fnv1a';
import type { DeviceId } from '../types';
import { BoundedMap } from '../util/bounded-map';
import type { Clock, Timer } from '../util/clock';
import { keptDocuments, type Documents } from './records';
import { userKey } from '../util/device-key';
import { detached } from '../util/guard';

/** What the times of devices depend on. */
export interface LastSeenPort {
  readonly documents: Documents;
  readonly clock: Clock;
  /** Whether a device is registered. Nothing is kept of other devices, as anybody can make up their names. */
  readonly isKept: (id: DeviceId) => boolean;
  readonly onWarning: (text: string) => void;
}

/** Devices of one user whose times are kept in one document. */
interface Group {
  readonly user: string;
  readonly id: string;
  /** In ms since 1970, by device. The device that was seen longest ago comes first. */
  readonly times: BoundedMap<string, number>;
}

const COLLECTION = 'last-seen';
const GROUPS_PER_USER = 128;
/** Maximum number of devices in a group: so many of the longest names fit into a document. */
const MAX_IN_GROUP = 200;
/** Time between two writes, in ms. All changes of a group within it are one write. */
const WRITE_MS = 60_000;

const kept = z.record(z.string(), z.number());

/**
 * The times when devices were last seen, over restarts of the server. The times are written in groups, and not at once:
 * however many devices come and go, a minute costs a user some documents at most. A server that is killed loses the
 * last minute.
 */
export class LastSeen {
  readonly #port: LastSeenPort;
  readonly #users = new Map<string, Map<string, Group>>();
  readonly #unwritten = new Set<Group>();
  /** Documents that are not usable: nothing is written over them. */
  readonly #unusable = new Set<string>();
  #timer: Timer | undefined;
  #writing: Promise<void> = Promise.resolve();
  #failing = false;

  constructor(port: LastSeenPort) {
    this.#port = port;
  }

  /** Number of documents that are not usable. */
  get unusable(): number {
    return this.#unusable.size;
  }

  /** Reads all times. Returns the documents that are not usable; they are left out. */
  async load(): Promise<string[]> {
    const unusable: string[] = [];
    for await (const { user, id, body } of keptDocuments(this.#port.documents, COLLECTION)) {
      const { success, data } = kept.safeParse(body);
      if (success) this.#add(newGroup(user, id, Object.entries(data)));
      else {
        this.#unusable.add(userKey(user, id));
        unusable.push(`${COLLECTION} ${user}/${id}`);
      }
    }
    return unusable;
  }

  /** The time when a device was last seen, in ms since 1970; 0 = never. */
  get({ user, device }: DeviceId): number {
    return this.#users.get(user)?.get(groupOf(device))?.times.get(device) ?? 0;
  }

  /** Notes that a device is seen now. */
  saw({ user, device }: DeviceId): void {
    if (!this.#port.isKept({ user, device })) return;
    const id = groupOf(device);
    const group = this.#users.get(user)?.get(id) ?? this.#add(newGroup(user, id));
    group.times.set(device, Date.now());
    this.#writeLater(group);
  }

  /** Forgets a device, as when it is removed. */
  forget({ user, device }: DeviceId): void {
    const group = this.#users.get(user)?.get(groupOf(device));
    if (group?.times.delete(device) === true) this.#writeLater(group);
  }

  /** Writes all times that have not been written, and ends the timer. Never rejects. */
  settled(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  #add(group: Group): Group {
    const groups = this.#users.get(group.user) ?? new Map<string, Group>();
    this.#users.set(group.user, groups);
    groups.set(group.id, group);
    return group;
  }

  #writeLater(group: Group): void {
    this.#unwritten.add(group);
    this.#timer ??= this.#port.clock.after(WRITE_MS, () =>
      detached('last seen', (error) => this.#warn(error), this.settled()),
    );
  }

  async #write(): Promise<void> {
    const groups = [...this.#unwritten];
    this.#unwritten.clear();
    for (const group of groups) {
      try {
        await this.#writeGroup(group);
        this.#failing = false;
      } catch (error) {
        // The next change of any group tries it again.
        this.#unwritten.add(group);
        this.#warn(error);
      }
    }
  }

  #warn(error: unknown): void {
    // A store that was closed is no news to its owner.
    if (this.#failing || (error instanceof IotmpError && error.code === 'IOTMP_ERR_CLOSED')) return;
    this.#failing = true;
    this.#port.onWarning(`when devices were seen is not kept: ${errorText(error)}`);
  }

  async #writeGroup({ user, id, times }: Group): Promise<void> {
    if (this.#unusable.has(userKey(user, id))) return;
    const documents = await this.#port.documents;
    const key = { collection: COLLECTION, user, id };
    if (times.size > 0) await documents.put(key, Object.fromEntries(times));
    else await documents.remove(key);
  }
}

function newGroup(user: string, id: string, times: Iterable<[string, number]> = []): Group {
  const group = { user, id, times: new BoundedMap<string, number>(MAX_IN_GROUP) };
  for (const [device, time] of times) group.times.set(device, time);
  return group;
}

/** The group of a device among the groups of its user. */
function groupOf(device: string): string {
  return String(resourceHash(device) % GROUPS_PER_USER);
}
