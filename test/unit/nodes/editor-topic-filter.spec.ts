import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { TopicFilter } from '../../../src';
import { editorPlugin } from './support/editor-plugin';

/** The validators as the editor has them. */
interface Validation {
  readonly check: { readonly topicFilter: (value: unknown, opt?: object) => unknown };
}

function isFilter(text: string): boolean {
  try {
    return new TopicFilter(text).levels.length > 0;
  } catch {
    return false;
  }
}

describe('the topic field of the editor', () => {
  const plugin = editorPlugin('iotmp-validation.html', { text: (key: string) => key });
  const { topicFilter } = (plugin as Validation).check;

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
