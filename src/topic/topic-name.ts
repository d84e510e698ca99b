import { IotmpError } from '../errors';

/** Longest topic or filter, in bytes of UTF-8. MQTT has 65,535; nobody needs them, and stores hold fewer. */
export const MAX_TOPIC_BYTES = 1024;
/** Most levels of a topic or filter. */
export const MAX_TOPIC_LEVELS = 64;

/**
 * The levels of a topic that a message can be published to, as in MQTT: 1 to 1,024 bytes and 1 to 64 levels, without
 * wildcards and NUL. Levels may be empty.
 * @throws IotmpError IOTMP_ERR_PROTOCOL
 */
export function topicLevels(topic: unknown): string[] {
  const levels = checkedLevels(topic);
  if (levels.some((level) => level.includes('+') || level.includes('#'))) {
    throw badTopic('a topic to publish to has no wildcards');
  }
  return levels;
}

/**
 * The levels of a filter, as in MQTT: a topic in which `+` may be a level, and `#` the last one.
 * @throws IotmpError IOTMP_ERR_PROTOCOL
 */
export function filterLevels(filter: unknown): string[] {
  const levels = checkedLevels(filter);
  for (const [at, level] of levels.entries()) {
    const isWildcard = level === '+' || (level === '#' && at === levels.length - 1);
    if (!isWildcard && (level.includes('+') || level.includes('#'))) {
      throw badTopic('the wildcard + takes a whole level, and # the last one');
    }
  }
  if (levels[0] === '$share') throw badTopic('shared subscriptions are not offered');
  return levels;
}

function checkedLevels(topic: unknown): string[] {
  if (typeof topic !== 'string' || topic === '') throw badTopic('a topic is missing');
  // A text has at least as many bytes as characters.
  if (topic.length > MAX_TOPIC_BYTES || Buffer.byteLength(topic) > MAX_TOPIC_BYTES) {
    throw badTopic(`a topic has ${MAX_TOPIC_BYTES} bytes at most`);
  }
  if (topic.includes('\0') || !topic.isWellFormed()) throw badTopic('a topic must be valid text without NUL');
  const levels = topic.split('/');
  if (levels.length > MAX_TOPIC_LEVELS) throw badTopic(`a topic has ${MAX_TOPIC_LEVELS} levels at most`);
  return levels;
}

function badTopic(text: string): IotmpError {
  return new IotmpError('IOTMP_ERR_PROTOCOL', text);
}
