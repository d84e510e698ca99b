import { BoundedMap } from '../../util/bounded-map';
import type { Clock, Timer } from '../../util/clock';

/** Asks for the retained message of a topic. Returns the function that ends the question. */
export type AskRetained = (topic: string) => () => void;

/** Longest time until an answer, in ms. There is none for a topic without a retained message. */
const ANSWER_MS = 2000;
/** Pause before the same topic is asked for again, in ms: with a retained message, and without one at first and at most. */
const RETAINED_PAUSE_MS = 200;
const FIRST_PAUSE_MS = 5000;
const LONGEST_PAUSE_MS = 60_000;
/** Maximum number of open questions, and of topics that are remembered. */
const MAX_OPEN = 32;
const MAX_TOPICS = 4096;

/** A topic that is asked for, or was a short time ago. */
interface Topic {
  readonly state: 'waiting' | 'open' | 'resting';
  readonly timer?: Timer;
  readonly end?: () => void;
  /** Whether messages came since the question was asked. */
  readonly isStale: boolean;
  readonly pauseMs: number;
}

/**
 * Asks the other party of a bridge for the retained messages of topics with live messages. MQTT 3.1.1 passes a message on
 * without the sign that it is retained, so nothing else tells it. One question per topic is open. A topic without a
 * retained message is asked for rarely, however many messages it has.
 */
export class RetainedQuestions {
  readonly #clock: Clock;
  readonly #ask: AskRetained;
  readonly #topics: BoundedMap<string, Topic>;
  #open = 0;

  /** @param onLost a topic is not asked for, because there are too many topics */
  constructor(clock: Clock, ask: AskRetained, onLost: () => void) {
    this.#clock = clock;
    this.#ask = ask;
    this.#topics = new BoundedMap(MAX_TOPICS, {
      isPinned: ({ state }) => state === 'open',
      onForget: (topic) => {
        endQuestion(topic);
        if (topic.state === 'waiting' || topic.isStale) onLost();
      },
    });
  }

  /** Notes a live message: it may be retained. */
  note(topic: string): void {
    const known = this.#topics.get(topic);
    if (known?.state === 'waiting') return;
    if (known !== undefined) this.#topics.set(topic, { ...known, isStale: true });
    else this.#wait(topic, FIRST_PAUSE_MS);
  }

  /** Whether a retained message is the answer to a question. The question is ended by it. */
  isAnswer(topic: string): boolean {
    const known = this.#topics.get(topic);
    if (known?.state !== 'open') return false;
    this.#rest(topic, known, { restMs: RETAINED_PAUSE_MS, pauseMs: FIRST_PAUSE_MS });
    return true;
  }

  /** Ends all questions. Idempotent. */
  close(): void {
    for (const topic of this.#topics.values()) endQuestion(topic);
    this.#topics.clear();
    this.#open = 0;
  }

  #wait(topic: string, pauseMs: number): void {
    this.#topics.set(topic, { state: 'waiting', isStale: false, pauseMs });
    this.#askNext();
  }

  #askNext(): void {
    for (const [topic, { state, pauseMs }] of this.#topics) {
      if (this.#open >= MAX_OPEN) return;
      if (state === 'waiting') this.#askFor(topic, pauseMs);
    }
  }

  #askFor(topic: string, pauseMs: number): void {
    this.#open++;
    const timer = this.#clock.after(ANSWER_MS, () => {
      const known = this.#topics.get(topic);
      if (known?.timer !== timer) return;
      const nextMs = Math.min(2 * known.pauseMs, LONGEST_PAUSE_MS);
      this.#rest(topic, known, { restMs: known.pauseMs, pauseMs: nextMs });
    });
    const end = this.#ask(topic);
    this.#topics.set(topic, { state: 'open', timer, end, isStale: false, pauseMs });
  }

  /** The question is over. The topic is asked for again after a pause, if messages came meanwhile. */
  #rest(topic: string, known: Topic, { restMs, pauseMs }: { restMs: number; pauseMs: number }): void {
    endQuestion(known);
    this.#open--;
    const timer = this.#clock.after(restMs, () => {
      const rested = this.#topics.get(topic);
      if (rested?.timer !== timer) return;
      if (rested.isStale) this.#wait(topic, rested.pauseMs);
      else this.#topics.delete(topic);
    });
    this.#topics.set(topic, { state: 'resting', timer, isStale: known.isStale, pauseMs });
    this.#askNext();
  }
}

function endQuestion({ timer, end }: Topic): void {
  timer?.cancel();
  end?.();
}
