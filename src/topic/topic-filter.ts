import { filterLevels } from './topic-name';
import { TopicTree } from './topic-tree';

/** One filter of topics as in MQTT: `+` stands for one level, `#` at the end for the level before it and all below. */
export class TopicFilter {
  /** Every topic that matches is this one, or below it; empty for any. */
  readonly parent: string;
  readonly levels: readonly string[];
  readonly #tree = new TopicTree<true>();

  /** @throws IotmpError IOTMP_ERR_PROTOCOL for what is no filter */
  constructor(filter: unknown) {
    this.levels = filterLevels(filter);
    this.#tree.add(this.levels, true);
    const wildcard = this.levels.findIndex((level) => level === '+' || level === '#');
    this.parent = this.levels.slice(0, wildcard < 0 ? undefined : wildcard).join('/');
  }

  /** Whether a topic matches. Wildcards on the first level pass over topics that begin with `$`. */
  matches(topic: string): boolean {
    return this.#tree.match(topic.split('/')).length > 0;
  }
}
