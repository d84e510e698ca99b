import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { nodeFault } from '../../../src/util/node-floor';
import { runChild } from '../store/support/child';

const ROOT = join(__dirname, '../../..');

describe('the oldest Node.js', () => {
  it('is 22.13, and an older one is told of in words', () => {
    assert.equal(nodeFault('22.12.1', true), 'Node.js 22.13 or newer is needed; this is 22.12.1');
    assert.equal(nodeFault('20.19.5', true), 'Node.js 22.13 or newer is needed; this is 20.19.5');
    for (const version of ['22.13.0', '22.20.0', '23.0.0', '24.21.0', '100.0.0']) {
      assert.equal(nodeFault(version, true), undefined, version);
    }
  });

  it('has SQLite, and one without it is told of in words', () => {
    const text = 'Node.js 22.13 or newer with its SQLite is needed; this one (24.0.0) runs without it';
    assert.equal(nodeFault('24.0.0', false), text);
  });

  it('is the one that the package asks for', () => {
    const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      engines: { node: string };
    };
    assert.equal(manifest.engines.node, '>=22.13');
    assert.match(readFileSync(join(ROOT, 'README.md'), 'utf8'), /on Node\.js 22\.13 or newer/);
  });

  it('is asked for by the library when it is loaded', async () => {
    const code = `
      process.on('warning', ({ name, message }) => console.log(name, message));
      require(process.argv[1]);`;
    const child = runChild(code, [join(ROOT, 'src')], ['--no-experimental-sqlite', '--import', 'tsx']);
    assert.match((await child.nextLine()) ?? '', /^IotmpWarning Node\.js 22\.13 or newer with its SQLite/);
  });
});
