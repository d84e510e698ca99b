import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { resourceHash } from '../../../src/session/hosting/fnv1a';
import type { ResourceDefinition } from '../../../src/session/hosting/resource';
import { ResourceRegistry, resourcePath } from '../../../src/session/hosting/resource-registry';

function definition(extra: Partial<ResourceDefinition> = {}): ResourceDefinition {
  return { kind: 'output', run: () => 1, ...extra };
}

describe('resourceHash', () => {
  it('is the low half of FNV-1a over the UTF-8 bytes', () => {
    assert.equal(resourceHash('temperature'), 0xa935);
    assert.equal(resourceHash(''), 0x811c9dc5 & 0xffff);
    assert.equal(resourceHash('a'), 0xe40c292c & 0xffff);
    assert.notEqual(resourceHash('ä'), resourceHash('a'));
  });
});

describe('resourcePath', () => {
  it('takes a string, and joins an array of strings', () => {
    assert.equal(resourcePath('a/b'), 'a/b');
    assert.equal(resourcePath(['sensors', 'temperature']), 'sensors/temperature');
  });

  it('takes nothing else', () => {
    for (const other of [undefined, null, 1, true, ['a', 1], { a: 1 }, Buffer.from('a')]) {
      assert.equal(resourcePath(other), undefined);
    }
  });
});

describe('ResourceRegistry', () => {
  it('finds resources by path, with what the pattern took and the parameters of the request', () => {
    const registry = new ResourceRegistry();
    const gpio = registry.host('gpio/:pin', definition());
    assert.deepEqual(registry.resolve('gpio/4', 7), {
      resource: gpio,
      path: 'gpio/4',
      captures: { pin: '4' },
      parameters: 7,
    });
    assert.equal(registry.resolve(['gpio', '4'], undefined)?.path, 'gpio/4');
    assert.equal(registry.resolve('nothing', undefined), undefined);
    assert.equal(registry.resolve(undefined, undefined), undefined);
  });

  it('finds resources by their number, and by the hash of their name', () => {
    const registry = new ResourceRegistry();
    const temperature = registry.host('temperature', definition());
    const numbered = registry.host('numbered', definition({ id: 12 }));
    assert.equal(registry.resolve(0xa935, undefined)?.resource, temperature);
    assert.equal(registry.resolve(0xa935, undefined)?.path, 'temperature');
    assert.equal(registry.resolve(12, undefined)?.resource, numbered);
    assert.equal(registry.resolve(13, undefined), undefined);
  });

  it('lets a number win over a hash', () => {
    const registry = new ResourceRegistry();
    registry.host('temperature', definition());
    const other = registry.host('other', definition({ id: 0xa935 }));
    assert.equal(registry.resolve(0xa935, undefined)?.resource, other);
  });

  it('takes a hash that two names share for neither of them', () => {
    const [first, second] = collision();
    const registry = new ResourceRegistry();
    registry.host(first, definition());
    const hash = resourceHash(first);
    assert.equal(registry.resolve(hash, undefined)?.path, first);
    const other = registry.host(second, definition());
    assert.equal(registry.resolve(hash, undefined), undefined);
    other.remove();
    assert.equal(registry.resolve(hash, undefined)?.path, first);
  });

  it('does not run a pattern by its hash: nothing would be captured', () => {
    const registry = new ResourceRegistry();
    registry.host('gpio/:pin', definition());
    assert.equal(registry.resolve(resourceHash('gpio/:pin'), undefined), undefined);
  });

  it('refuses a name, a shape of pattern or a number that is taken', () => {
    const registry = new ResourceRegistry();
    registry.host('led', definition({ id: 5 }));
    registry.host('gpio/:pin', definition());
    assert.throws(() => registry.host('led', definition()), { code: 'IOTMP_ERR_CONFLICT' });
    assert.throws(() => registry.host('gpio/:number', definition()), { code: 'IOTMP_ERR_CONFLICT' });
    assert.throws(() => registry.host('lamp', definition({ id: 5 })), { code: 'IOTMP_ERR_CONFLICT' });
    assert.throws(() => registry.host('/led', definition()), { code: 'IOTMP_ERR_CONFIG' });
    assert.equal(registry.size, 2);
  });

  it('describes everything without running anything', () => {
    const run = (): never => assert.fail('it ran');
    const registry = new ResourceRegistry();
    registry.host('reboot', { kind: 'run', run });
    registry.host('led', { kind: 'input', run, id: 9 });
    registry.host('temperature', { kind: 'output', run, streamable: false });
    registry.host('gpio/:pin', { kind: 'inout', run, needsParameters: true });
    assert.deepEqual(registry.describeAll(), {
      reboot: { fn: 1 },
      led: { fn: 2, id: 9 },
      temperature: { fn: 3, st: false },
      'gpio/:pin': { fn: 4, pr: true },
    });
  });

  it('is empty after clear', () => {
    const registry = new ResourceRegistry();
    registry.host('a', definition({ id: 1 }));
    registry.host('b/:c', definition());
    registry.clear();
    assert.equal(registry.size, 0);
    assert.equal(registry.resolve(1, undefined), undefined);
    assert.equal(registry.resolve('b/x', undefined), undefined);
    assert.deepEqual(registry.describeAll(), {});
  });

  it('removes a resource once only: its name may belong to another one since', () => {
    const registry = new ResourceRegistry();
    const old = registry.host('led', definition({ id: 1 }));
    old.remove();
    const next = registry.host('led', definition({ id: 1 }));
    old.remove();
    assert.equal(registry.resolve('led', undefined)?.resource, next);
    assert.equal(registry.resolve(1, undefined)?.resource, next);
  });
});

/** Two names of one hash. */
function collision(): [string, string] {
  const names = new Map<number, string>();
  for (let number = 0; ; number++) {
    const name = `r${number}`;
    const other = names.get(resourceHash(name));
    if (other !== undefined) return [other, name];
    names.set(resourceHash(name), name);
  }
}
