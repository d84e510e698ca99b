import { codecNames, loadCodec, type Codec } from '../codec/codecs';
import { documents } from '../codec/documents';
import { serveContender } from '../harness/contender';

/** Operations between two looks at the clock, at most. */
const MAX_BATCH = 1000;

let codec: Codec | undefined;
let blackHole = 0;

serveContender({
  async start(options) {
    const name = codecNames.find((known) => known === options.codec);
    if (name === undefined) throw new Error(`unknown codec ${String(options.codec)}`);
    codec = await loadCodec(name);
    return 0;
  },
  codec(seconds) {
    if (codec === undefined) throw new Error('not started');
    const speeds: Record<string, number> = {};
    for (const [name, document] of Object.entries(documents)) {
      const { encode, decode } = codec;
      const result = encode(document);
      // A copy: some encoders write into what they gave before.
      const encoded = typeof result === 'string' ? result : Buffer.from(result);
      speeds[`${name} encode`] = speedOf(() => encode(document).length, seconds);
      speeds[`${name} decode`] = speedOf(() => Number(decode(encoded) !== undefined), seconds);
    }
    return speeds;
  },
});

/**
 * Operations per second of processor time: what else runs on the machine then costs less of the truth. What the
 * operations give is used, so that none is optimised away.
 */
function speedOf(operation: () => number, seconds: number): number {
  const batch = calibrate(operation);
  const start = cpuSeconds();
  let operations = 0;
  let now = start;
  while (now < start + seconds) {
    for (let index = 0; index < batch; index++) blackHole = (blackHole + operation()) | 0;
    operations += batch;
    now = cpuSeconds();
  }
  return operations / (now - start);
}

/** A batch of about a millisecond. It warms the operation up for 150 ms, too. */
function calibrate(operation: () => number): number {
  const start = cpuSeconds();
  let operations = 0;
  while (cpuSeconds() - start < 0.15) {
    for (let index = 0; index < 10; index++) blackHole = (blackHole + operation()) | 0;
    operations += 10;
  }
  return Math.max(1, Math.min(MAX_BATCH, Math.floor(operations / 150)));
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
