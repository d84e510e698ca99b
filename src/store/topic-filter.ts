import { unusable } from './checks';

const MAX_TOPIC = 1024;

/** A topic that a message can be kept under: no wildcards, 1 to 1,024 characters. */
export function checkTopic(topic: string): string {
  const ok = isText(topic) && !topic.includes('+') && !topic.includes('#');
  if (!ok) throw unusable(`a topic has to be a text of 1 to ${MAX_TOPIC} characters without + and #`);
  return topic;
}

/** A topic filter as in MQTT: `+` stands for one level, `#` at the end for the level before it and all below. */
export class TopicFilter {
  /** Every topic that matches is this one, or below it; empty for any. */
  readonly parent: string;
  readonly #levels: readonly string[];

  /** `IOTMP_ERR_CONFIG` for a filter with wildcards where none may be. */
  constructor(filter: string) {
    this.#levels = filter.split('/');
    const misplaced = this.#levels.some(
      (level, index) =>
        (level.length > 1 && /[+#]/.test(level)) || (level === '#' && index < this.#levels.length - 1),
    );
    if (!isText(filter) || misplaced) throw unusable(`no topic filter: "${filter}"`);
    const wildcard = this.#levels.findIndex(isWildcard);
    this.parent = this.#levels.slice(0, wildcard < 0 ? undefined : wildcard).join('/');
  }

  /** Whether a topic matches. Wildcards on the first level pass over topics that begin with `$`. */
  matches(topic: string): boolean {
    const levels = topic.split('/');
    if (isWildcard(this.#levels[0] ?? '') && topic.startsWith('$')) return false;
    for (const [index, wanted] of this.#levels.entries()) {
      if (wanted === '#') return true;
      if (index >= levels.length || (wanted !== '+' && wanted !== levels[index])) return false;
    }
    return levels.length === this.#levels.length;
  }
}

function isText(text: string): boolean {
  return typeof text === 'string' && text.length > 0 && text.length <= MAX_TOPIC && text.isWellFormed();
}

function isWildcard(level: string): boolean {
  return level === '+' || level === '#';
}
