import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, it } from 'node:test';
import { createContext, runInContext } from 'node:vm';
import { TopicFilter } from '../../../src';

const PAGE = resolve(__dirname, '../../../nodes/iotmp-validation.html');

interface Checks {
  readonly topicFilter: (value: unknown, opt?: object) => unknown;
}

/** The validators as the editor has them. */
function editorChecks(): Checks {
  const window: { openIotmp: { text(key: string): string; check?: Checks } } = {
    openIotmp: { text: (key) => key },
  };
  const [, script = ''] = /<script[^>]*>([\s\S]*)<\/script>/.exec(readFileSync(PAGE, 'utf8')) ?? [];
  const RED = { plugins: { registerPlugin: () => undefined } };
  // In a browser the members of the window are global.
  runInContext(script, createContext({ window, openIotmp: window.openIotmp, RED }));
  assert.ok(window.openIotmp.check !== undefined);
  return window.openIotmp.check;
}

function isFilter(text: string): boolean {
  try {
    return new TopicFilter(text).levels.length > 0;
  } catch {
    return false;
  }
}

describe('the topic field of the editor', () => {
  const { topicFilter } = editorChecks();

  it('takes what the server takes, and gives a reason for the rest', () => {
    const filters = ['#', '+', '+/#', 'a/+/b', '/#', 'a//b', 'é ñ', '$SYS/#'];
    const others = ['a#', '#/a', 'a/#/b', 'a+', '+a', 'a/b+/c', '##', '++', '$share/group/a'];
    for (const text of [...filters, ...others]) {
      assert.equal(topicFilter(text) === true, isFilter(text), text);
      assert.equal(isFilter(text), filters.includes(text), text);
    }
    assert.equal(topicFilter('a#', { label: 'Topic' }), 'Topic: reason.topicFilter');
  });

  it('may be blank, missing in the flow, or an environment variable', () => {
    for (const text of ['', ' ', undefined, '${TOPIC}']) assert.equal(topicFilter(text), true);
  });
});
