import { hostOf } from '../../transport/host-and-port';
import { networkOf } from '../../transport/network';
import type { Newcomer, WaitingPlace } from '../../transport/waiting-place';
import type { Clock, Timer } from '../../util/clock';
import type { ServerLimits } from '../server-limits';
import { SeniorityQueue, type Senior } from './seniority-queue';

/** How many connections there may be. */
export interface DoorLimits extends Pick<ServerLimits, 'pendingConnections' | 'pendingPerAddress'> {
  /** Logged in or not. */
  readonly maxConnections: number;
}

/** Age from which on a connection before login counts, in ms: devices that all come back at once are not cut. */
const COUNTS_FROM_MS = 1_000;
/** Connections that are counted in one turn of the event loop: to cut thousands at once would hold up the devices. */
const COUNTED_AT_ONCE = 100;
/** Pause between two such turns, in ms. */
const TURN_MS = 5;

/**
 * The places of the connections, so that nobody shuts the others out. Those before login are bounded, in all and of each
 * network, once they are a second old; past a bound the oldest that has sent nothing gives way, then the oldest. The same
 * happens for each newcomer when all places are taken; it is turned away only where all others are logged in.
 */
export class WaitingRoom {
  readonly #clock: Clock;
  readonly #limits: () => DoorLimits;
  /** Places of connections before login. */
  readonly #waiting = new SeniorityQueue<RoomPlace>();
  /** Those of them that do not count yet, in the order of their arrival. */
  readonly #young = new Set<RoomPlace>();
  /** Those that count, by their network. */
  readonly #networks = new Map<string, SeniorityQueue<RoomPlace>>();
  #taken = 0;
  #timer: Timer | undefined;

  /** @param limits is asked each time: they may change */
  constructor(clock: Clock, limits: () => DoorLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** Number of places that are taken. */
  get taken(): number {
    return this.#taken;
  }

  /** Number of connections that are not logged in. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Gives a place to a connection that begins; `undefined` when all places are taken by connections that are logged in. */
  enter(remoteAddress: string): WaitingPlace | undefined {
    const { maxConnections } = this.#limits();
    while (this.#taken >= maxConnections) {
      const victim = this.#waiting.oldestSilent ?? this.#waiting.oldestHeard;
      if (victim === undefined) return undefined;
      this.#turnOut(victim, `the limit of ${maxConnections} connections is reached`);
    }
    const place = new RoomPlace(this, remoteAddress, this.#clock.now());
    this.#taken++;
    this.#waiting.add(place);
    this.#young.add(place);
    this.#timer ??= this.#clock.after(COUNTS_FROM_MS, () => this.#review());
    return place;
  }

  /** The connection of a place waits no more. */
  settle(place: RoomPlace): void {
    this.#waiting.delete(place);
    if (this.#young.delete(place)) this.#stopIfIdle();
    else this.#uncount(place);
  }

  /** A place is free again. */
  release(place: RoomPlace): void {
    this.settle(place);
    this.#taken--;
  }

  /** Counts those who are old enough by now. */
  #review(): void {
    this.#timer = undefined;
    const now = this.#clock.now();
    let counted = 0;
    for (const place of this.#young) {
      const restMs = place.since + COUNTS_FROM_MS - now;
      if (restMs > 0 || counted === COUNTED_AT_ONCE) {
        this.#timer = this.#clock.after(restMs > 0 ? restMs : TURN_MS, () => this.#review());
        return;
      }
      this.#young.delete(place);
      this.#count(place);
      counted++;
    }
  }

  #count(place: RoomPlace): void {
    const { pendingConnections, pendingPerAddress } = this.#limits();
    const network = networkOf(hostOf(place.remoteAddress));
    place.network = network;
    const ofNetwork = this.#networks.get(network) ?? new SeniorityQueue();
    this.#networks.set(network, ofNetwork);
    ofNetwork.add(place);
    if (ofNetwork.size > pendingPerAddress) {
      const victim = ofNetwork.oldestSilent ?? ofNetwork.oldestHeard;
      if (victim !== undefined) this.#turnOut(victim, tooMany(ofNetwork.size, 'of this address'));
    }
    const counted = this.#waiting.size - this.#young.size;
    if (counted <= pendingConnections) return;
    const { oldestSilent } = this.#waiting;
    // One that is too young is younger than all that count, which then all have sent something.
    const isYoung = oldestSilent === undefined || this.#young.has(oldestSilent);
    const victim = isYoung ? this.#waiting.oldestHeard : oldestSilent;
    if (victim !== undefined) this.#turnOut(victim, tooMany(counted, 'in all'));
  }

  #uncount(place: RoomPlace): void {
    const { network } = place;
    if (network === undefined) return;
    const ofNetwork = this.#networks.get(network);
    ofNetwork?.delete(place);
    if (ofNetwork?.size === 0) this.#networks.delete(network);
  }

  #turnOut(victim: RoomPlace, why: string): void {
    victim.leave();
    victim.holder?.turnOut(`gave way before its login: ${why}`);
  }

  #stopIfIdle(): void {
    if (this.#young.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}

/** A place of a {@link WaitingRoom}. */
class RoomPlace implements WaitingPlace, Senior {
  readonly remoteAddress: string;
  /** When the connection began, on the clock's scale. */
  readonly since: number;
  holder: Newcomer | undefined = undefined;
  /** Where it counts, once it does. */
  network: string | undefined = undefined;
  readonly #room: WaitingRoom;
  #state: 'waiting' | 'in' | 'free' = 'waiting';

  constructor(room: WaitingRoom, remoteAddress: string, since: number) {
    this.#room = room;
    this.remoteAddress = remoteAddress;
    this.since = since;
  }

  get hasSent(): boolean {
    return this.holder?.hasSent === true;
  }

  letIn(): void {
    if (this.#state !== 'waiting') return;
    this.#state = 'in';
    this.holder = undefined;
    this.#room.settle(this);
  }

  leave(): void {
    if (this.#state === 'free') return;
    this.#state = 'free';
    this.#room.release(this);
  }
}

function tooMany(count: number, where: string): string {
  return `${count} connections ${where} wait for their login`;
}
