import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'mocha';
import { Comms } from './support/comms';
import { parseFlow } from './support/flow';
import { freePort, takePort } from './support/ports';
import { childrenOf, waitUntilGone } from './support/processes';
import { Program } from './support/program';
import { makeTemporaryDirectory, PACK_DIRECTORY, removeDirectory } from './support/user-directory';

const START = join(PACK_DIRECTORY, 'dist/examples/demo/start.js');
const DEVICES = ['weather-station', 'relay-board'];
const PROCESSES = [...DEVICES, 'node-red'];
const SLOW = { timeoutMs: 60_000 };

describe('the demo', function () {
  this.timeout(120_000);

  let directory: string;
  let editorPort: number;
  let iotmpPort: number;
  let demo: Program | undefined;

  beforeEach(async () => {
    directory = await makeTemporaryDirectory();
    editorPort = await freePort();
    iotmpPort = await freePort();
  });

  afterEach(async () => {
    await demo?.stop();
    demo = undefined;
    await removeDirectory(directory);
  });

  function start(env: Readonly<Record<string, string>> = {}): Program {
    demo = new Program({ name: 'demo', file: START, env: { ...environment(), ...env } });
    return demo;
  }

  function environment(): Record<string, string | undefined> {
    return {
      PORT: String(editorPort),
      IOTMP_PORT: String(iotmpPort),
      IOTMP_DEMO_DIR: directory,
      npm_lifecycle_event: undefined,
    };
  }

  /** The ids of the processes of a demo that has started, by the names of their programs. */
  async function started(program: Program): Promise<Map<string, number>> {
    await program.lines.waitFor('the address', (line) => line.startsWith('Open http'), SLOW);
    for (const device of DEVICES) {
      const isIn = (line: string): boolean => line.startsWith(device) && line.includes('connected to');
      await program.lines.waitFor(`connection of ${device}`, isIn);
    }
    const children = await childrenOf(program.pid);
    // Node-RED is the one that is no device: it gives its process a title in place of the command line.
    return new Map(
      children.map(({ pid, command }) => [
        DEVICES.find((name) => command.endsWith(`${name}.js`)) ?? 'node-red',
        pid,
      ]),
    );
  }

  it('ends with everything it has started on Ctrl-C', async () => {
    const program = start();
    const pids = await started(program);
    assert.deepEqual([...pids.keys()].sort(), [...PROCESSES].sort());
    assert.deepEqual(await program.stop('SIGINT'), { code: 0, signal: null });
    await waitUntilGone([...pids.values()]);
    const lines = program.lines.entries;
    assert.equal(lines.at(-1), 'The demo has ended');
    assert.ok(!lines.some((line) => line.includes('is killed')));
  });

  it('leaves nothing behind when it is killed', async () => {
    const program = start();
    const pids = await started(program);
    program.signal('SIGKILL');
    await program.ended;
    await waitUntilGone([...pids.values()]);
  });

  it('ends with npm, which does not tell it', async () => {
    // A parent that is in the place of npm: it says which process it has started, and stays.
    const parentFile = join(directory, 'parent.js');
    await writeFile(
      parentFile,
      `const { spawn } = require('node:child_process');
       const child = spawn(process.execPath, [process.argv[2]], { stdio: ['ignore', 'inherit', 'inherit'] });
       console.log('child ' + child.pid);
       setInterval(() => undefined, 60_000);`,
    );
    const env = { ...environment(), npm_lifecycle_event: 'start' };
    const parent = new Program({ name: 'npm', file: parentFile, args: [START], env });
    try {
      const line = await parent.lines.waitFor('child', (text) => text.startsWith('child '));
      await parent.lines.waitFor('the address', (text) => text.startsWith('Open http'), SLOW);
      const pid = Number(line.slice('child '.length));
      const pids = [pid, ...(await childrenOf(pid)).map((child) => child.pid)];
      assert.equal(pids.length, 4);
      parent.signal('SIGKILL');
      await waitUntilGone(pids);
    } finally {
      parent.signal('SIGKILL');
      await parent.ended;
    }
  });

  it('starts again in the same directory, and keeps what was changed there', async () => {
    const flowFile = join(directory, 'flows.json');
    await started(start());
    await demo?.stop('SIGINT');
    const flow = parseFlow(await readFile(flowFile, 'utf8'));
    const changed = flow.map((node) => (node.type === 'tab' ? { ...node, label: 'Mine' } : node));
    await writeFile(flowFile, JSON.stringify(changed));

    iotmpPort = await freePort();
    await started(start());
    const [tab] = parseFlow(await readFile(flowFile, 'utf8')).filter(({ type }) => type === 'tab');
    assert.equal(tab?.label, 'Mine');
    await demo?.stop('SIGINT');

    // Without a port the one of the flows is taken.
    await started(start({ IOTMP_PORT: '' }));
    assert.ok(demo?.lines.entries.some((line) => line.includes(`tcp://127.0.0.1:${iotmpPort}`)));
  });

  it('says so when a device ends, and goes on', async () => {
    const program = start();
    const station = (await started(program)).get('weather-station');
    assert.ok(station !== undefined);
    process.kill(station, 'SIGKILL');
    await program.lines.waitFor('report', (line) => line.startsWith('weather-station was ended by SIGKILL'));
    const { position } = program.lines;
    await program.lines.waitFor('relay', (line) => line.includes('| relay 1'), { from: position });
    assert.deepEqual(await program.stop('SIGTERM'), { code: 0, signal: null });
  });

  it('ends when Node-RED does, and says so', async () => {
    const program = start();
    const pids = await started(program);
    const nodeRed = pids.get('node-red');
    assert.ok(nodeRed !== undefined);
    process.kill(nodeRed, 'SIGKILL');
    assert.deepEqual(await program.ended, { code: 1, signal: null });
    assert.ok(program.lines.entries.includes('Node-RED was ended by SIGKILL.'));
    await waitUntilGone([...pids.values()]);
  });

  for (const variable of ['PORT', 'IOTMP_PORT']) {
    it(`names the port that is in use, and ${variable} to choose another`, async () => {
      const { port, release } = await takePort();
      try {
        const program = start({ [variable]: String(port) });
        assert.deepEqual(await program.ended, { code: 1, signal: null });
        assert.equal(program.lines.entries.length, 1);
        const [line = ''] = program.lines.entries;
        assert.match(line, new RegExp(`^Port ${port} .*in use.* ${variable}=${port + 1} npm start$`));
      } finally {
        await release();
      }
    });

    it(`names ${variable} when it is no port`, async () => {
      const program = start({ [variable]: '99999' });
      assert.deepEqual(await program.ended, { code: 1, signal: null });
      const expected = `${variable}: a port is a whole number of 1 to 65535, not "99999"`;
      assert.deepEqual(program.lines.entries, [expected]);
    });
  }
});

describe('the flow of the demo, without a click', function () {
  this.timeout(120_000);

  let directory: string;
  let demo: Program;
  let comms: Comms;

  before(async () => {
    directory = await makeTemporaryDirectory();
    const port = await freePort();
    const env = { PORT: String(port), IOTMP_PORT: String(await freePort()), IOTMP_DEMO_DIR: directory };
    demo = new Program({ name: 'demo', file: START, env });
    await demo.lines.waitFor('the address', (line) => line.startsWith('Open http'), SLOW);
    comms = await Comms.open(`http://127.0.0.1:${port}`);
  });

  after(async () => {
    await comms.close();
    await demo.stop();
    await removeDirectory(directory);
  });

  async function shown(name: string, check: (text: string) => boolean = () => true): Promise<unknown> {
    return comms.waitForDebug(name, (value) => check(JSON.stringify(value)), SLOW);
  }

  it('has three devices', async () => {
    const isComplete = ({ text }: { text: string }): boolean => text === 'listening, 3 devices';
    await comms.statuses.waitFor('three devices', isComplete, SLOW);
  });

  it('streams the sensors of the weather station', async () => {
    const temperature = await shown('temperature');
    assert.ok(typeof temperature === 'number' && temperature > 10 && temperature < 35);
    const humidity = await shown('humidity');
    assert.ok(typeof humidity === 'number' && humidity >= 0 && humidity <= 100);
    await shown('state', (text) => /"battery":\{"voltage":[\d.]+,"percent":\d+\},"position":/.test(text));
    await shown('alarm', (text) => /^\{"active":(true|false),"temperature":[\d.]+,"limit":23\}$/.test(text));
  });

  it('switches a relay and reads it back', async () => {
    for (const name of ['relays, read back', 'relays, as they change']) {
      for (const state of [true, false]) {
        await shown(name, (text) => text === JSON.stringify({ 1: state, 2: false, 3: false, 4: false }));
      }
    }
  });

  it('calls with an answer', async () => {
    assert.deepEqual(await shown('sum'), { result: 42 });
  });

  it('catches the error of a device, and the timeout of a slow one', async () => {
    await shown('error', (text) => text.includes('"code":"IOTMP_ERR_REMOTE"') && text.includes('418'));
    await shown('error', (text) => text.includes('"code":"IOTMP_ERR_TIMEOUT"'));
  });

  it('is a device itself', async () => {
    const moisture = await shown('soil');
    assert.ok(typeof moisture === 'number');
    assert.deepEqual(await shown('pump'), { running: true, seconds: 5 });
  });

  it('shows nothing of what never comes, and no fault', () => {
    assert.ok(!comms.debug.entries.some(({ name }) => name.includes('no answer comes')));
    assert.ok(!demo.lines.entries.some((line) => line.includes('[error]')));
  });
});
