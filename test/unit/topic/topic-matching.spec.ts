import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import fc from 'fast-check';
import { filterLevels, MAX_TOPIC_BYTES, MAX_TOPIC_LEVELS, topicLevels } from '../../../src/topic/topic-name';
import { TopicFilter } from '../../../src/topic/topic-filter';
import { TopicTree } from '../../../src/topic/topic-tree';

/** The rules of MQTT for one filter, written out. */
function matches(filter: string, topic: string): boolean {
  const wanted = filter.split('/');
  const levels = topic.split('/');
  if (topic.startsWith('$') && (wanted[0] === '+' || wanted[0] === '#')) return false;
  for (const [i, level] of wanted.entries()) {
    if (level === '#') return true;
    if (i >= levels.length || (level !== '+' && level !== levels[i])) return false;
  }
  return wanted.length === levels.length;
}

function treeOf(filters: readonly string[]): TopicTree<string> {
  const tree = new TopicTree<string>();
  for (const filter of filters) tree.add(filterLevels(filter), filter);
  return tree;
}

const level = fc.constantFrom('a', 'b', 'c', '', '$s');
const topics = fc
  .array(level, { minLength: 1, maxLength: 5 })
  .map((levels) => levels.join('/'))
  .filter((topic) => topic !== '');
const filters = fc
  .tuple(fc.array(fc.oneof(level, fc.constant('+')), { maxLength: 4 }), fc.boolean())
  .map(([levels, rest]) => [...levels, ...(rest ? ['#'] : [])].join('/'))
  .filter((filter) => filter !== '');

describe('topic matching', () => {
  it('finds what the rules say, whatever the filters', () => {
    fc.assert(
      fc.property(fc.uniqueArray(filters, { maxLength: 30 }), topics, (some, topic) => {
        const found = treeOf(some).match(topicLevels(topic)).sort();
        assert.deepEqual(found, some.filter((filter) => matches(filter, topic)).sort());
      }),
      { numRuns: 500 },
    );
  });

  it('finds for one filter alone what it finds among many', () => {
    fc.assert(
      fc.property(filters, topics, (filter, topic) => {
        const one = new TopicFilter(filter);
        assert.equal(one.matches(topic), matches(filter, topic));
        const isBelow = one.parent === '' || topic === one.parent || topic.startsWith(`${one.parent}/`);
        assert.ok(!one.matches(topic) || isBelow, 'every match is the parent or below it');
      }),
    );
  });

  it('forgets what is taken out, and nothing else', () => {
    fc.assert(
      fc.property(fc.uniqueArray(filters, { maxLength: 20 }), fc.nat(20), topics, (some, count, topic) => {
        const tree = treeOf(some);
        const gone = some.slice(0, count);
        for (const filter of gone) {
          assert.equal(tree.delete(filterLevels(filter), filter), true);
          assert.equal(tree.delete(filterLevels(filter), filter), false);
        }
        const left = some.slice(count);
        assert.equal(tree.size, left.length);
        const found = tree.match(topicLevels(topic)).sort();
        assert.deepEqual(found, left.filter((filter) => matches(filter, topic)).sort());
      }),
    );
  });

  it('knows the examples of MQTT', () => {
    const yes = [
      ['sport/tennis/player1/#', 'sport/tennis/player1'],
      ['sport/tennis/player1/#', 'sport/tennis/player1/score/wimbledon'],
      ['sport/#', 'sport'],
      ['#', 'a/b'],
      ['+', 'a'],
      ['+/+', '/finance'],
      ['/+', '/finance'],
      ['sport/+', 'sport/'],
      ['$SYS/#', '$SYS/a'],
      ['$SYS/monitor/+', '$SYS/monitor/Clients'],
    ] as const;
    const no = [
      ['sport/tennis/+', 'sport/tennis/player1/ranking'],
      ['sport/+', 'sport'],
      ['+', '/finance'],
      ['#', '$SYS/a'],
      ['+/monitor/Clients', '$SYS/monitor/Clients'],
      ['ACCOUNTS', 'Accounts'],
    ] as const;
    for (const [filter, topic] of yes)
      assert.equal(treeOf([filter]).match(topicLevels(topic)).length, 1, filter);
    for (const [filter, topic] of no)
      assert.equal(treeOf([filter]).match(topicLevels(topic)).length, 0, filter);
  });

  it('visits few of many filters', () => {
    const tree = new TopicTree<number>();
    for (let i = 0; i < 20_000; i++) tree.add(['site', String(i), 'state'], i);
    tree.add(['site', '+', 'state'], -1);
    const begin = process.hrtime.bigint();
    for (let i = 0; i < 10_000; i++) assert.deepEqual(tree.match(['site', String(i), 'state']), [i, -1]);
    // A walk over all of them would take minutes.
    assert.ok(process.hrtime.bigint() - begin < 5_000_000_000n);
  });
});

describe('topics and filters', () => {
  const bad = [
    '',
    undefined,
    null,
    5,
    ['a'],
    'a\0b',
    '\ud800',
    'x'.repeat(MAX_TOPIC_BYTES + 1),
    'é'.repeat(MAX_TOPIC_BYTES / 2 + 1),
    '/'.repeat(MAX_TOPIC_LEVELS),
  ];

  it('are refused when they are none, or too long', () => {
    for (const topic of bad) {
      assert.throws(() => topicLevels(topic), { code: 'IOTMP_ERR_PROTOCOL', statusCode: 400 });
      assert.throws(() => filterLevels(topic), { code: 'IOTMP_ERR_PROTOCOL', statusCode: 400 });
    }
  });

  it('are taken up to the limits, with empty levels and any text', () => {
    for (const topic of [
      'a',
      '/',
      '//',
      'é/ñ/日本',
      ' ',
      'x'.repeat(MAX_TOPIC_BYTES),
      '/'.repeat(MAX_TOPIC_LEVELS - 1),
    ]) {
      assert.equal(topicLevels(topic).join('/'), topic);
      assert.equal(filterLevels(topic).join('/'), topic);
    }
  });

  it('have wildcards in filters only, and there in their places only', () => {
    for (const filter of ['#', '+', '+/#', 'a/+/b', '/#', '+/+/+']) {
      assert.equal(filterLevels(filter).join('/'), filter);
      assert.throws(() => topicLevels(filter), { statusCode: 400 });
    }
    for (const filter of ['a#', '#/a', 'a/#/b', 'a+', '+a', 'a/b+/c', '##', '++', '$share/group/a']) {
      assert.throws(() => filterLevels(filter), { statusCode: 400 }, filter);
    }
  });
});
