import type { NodeAPI } from 'node-red';
import { guarded, type FaultHandler, type LossKind, type ServerServices } from '../../../src';
import type { LinkState } from '../flow/link';
import { translate } from '../red/translate';

/** Time between two looks at the counters, in ms. */
const LOOK_MS = 5000;
/** Time for which a loss is shown after it was seen last, in ms. */
const SHOWN_MS = 60_000;
/** Maximum number of kinds in a status. */
const MAX_SHOWN = 2;

/** The words of each kind, the worst one first. A take-over is no loss to people: suspicious ones are a warning. */
const TEXTS: Readonly<Partial<Record<LossKind, string>>> = {
  row: 'status.lostRows',
  event: 'status.lostEvents',
  subscription: 'status.lostSubscriptions',
  bridge: 'status.lostBridge',
  conversation: 'status.lostConversations',
  connection: 'status.lostConnections',
  message: 'status.lostMessages',
  service: 'status.lostServices',
  sample: 'status.lostSamples',
  frame: 'status.lostFrames',
  request: 'status.lostRequests',
  login: 'status.lostLogins',
};

/** Notices what a server drops, cuts or refuses, while it happens. */
export class LossWatch {
  readonly #losses: ServerServices['losses'];
  readonly #onChange: () => void;
  readonly #onFault: FaultHandler;
  /** When a loss of each kind was seen last, in ms since 1970. */
  readonly #seen = new Map<string, number>();
  #counts: Readonly<Record<string, number>>;
  #shown = '';
  #timer: NodeJS.Timeout | undefined;

  /** @param onChange is called when other kinds are to be shown */
  constructor({ losses }: ServerServices, onChange: () => void, onFault: FaultHandler) {
    this.#losses = losses;
    this.#onChange = onChange;
    this.#onFault = onFault;
    this.#counts = losses.counts;
    this.#schedule();
  }

  /** A state of the server with what it loses at the moment. An error says enough. */
  with(RED: NodeAPI, state: LinkState): LinkState {
    const keys = this.#keys;
    if (keys.length === 0 || state.kind === 'error' || state.kind === 'off') return state;
    return { ...state, text: [state.text, ...keys.map((key) => translate(RED, key))].join('; ') };
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  get #keys(): string[] {
    const kinds = Object.entries(TEXTS).filter(([kind]) => this.#seen.has(kind));
    return kinds.slice(0, MAX_SHOWN).map(([, key]) => key);
  }

  #schedule(): void {
    const look = guarded('losses of a server', this.#onFault, () => this.#look());
    this.#timer = setTimeout(look, LOOK_MS);
  }

  #look(): void {
    this.#schedule();
    const now = Date.now();
    const counts: Readonly<Record<string, number>> = this.#losses.counts;
    for (const [kind, count] of Object.entries(counts)) {
      if (count > (this.#counts[kind] ?? 0)) this.#seen.set(kind, now);
      else if (now - (this.#seen.get(kind) ?? now) >= SHOWN_MS) this.#seen.delete(kind);
    }
    this.#counts = counts;
    const shown = this.#keys.join();
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#onChange();
  }
}
