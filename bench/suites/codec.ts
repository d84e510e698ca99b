import { codecNames } from '../codec/codecs';
import { documents } from '../codec/documents';
import { ContenderProcess } from '../harness/contender-process';
import { Measurements } from '../harness/measurements';
import { interleave } from '../harness/rounds';
import { geometricMean, summarize } from '../harness/statistics';
import type { Ratio, Suite, SuiteResult, Thoroughness } from '../harness/suite';

const METRIC = 'operations/s';
const OWN = 'iotmp';
const PEERS = codecNames.filter((name) => name !== OWN);
const MAPS = Object.keys(documents).filter((name) => !name.startsWith('5'));

/** What the fastest peer does against which the geometric mean is held. */
const TARGETS = { encode: 1.2, decode: 1 } as const;

/** PSON against JSON, msgpackr and cbor-x on the documents of the report. */
export const codecSuite: Suite = {
  name: 'codec',
  title: 'Encoding and decoding',
  full: { rounds: 5, seconds: 0.2 },
  quick: { rounds: 3, seconds: 0.1 },
  run,
};

async function run({ rounds, seconds }: Thoroughness): Promise<SuiteResult> {
  const measurements = new Measurements();
  await interleave(rounds, codecNames, async (codec) => {
    const contender = await ContenderProcess.launch({ script: 'codec', options: { codec } });
    const speeds = await contender.ask<'codec'>({ name: 'codec', seconds });
    for (const [scenario, speed] of Object.entries(speeds)) {
      measurements.add(scenario, codec, { [METRIC]: speed });
    }
    await contender.stop();
  });
  return {
    suite: 'codec',
    title: codecSuite.title,
    notes: ['JSON stays text: the way to bytes and back is not counted for it, except base64 of document 5.'],
    rows: measurements.rows,
    ratios: [
      ...(['encode', 'decode'] as const).flatMap((direction) => meanRatios(measurements, direction)),
      ...MAPS.flatMap((document) => jsonRatios(measurements, document)),
    ],
  };
}

/** Documents 1-4 in the geometric mean, against each peer: what holds against all holds against the fastest. */
function meanRatios(measurements: Measurements, direction: 'encode' | 'decode'): Ratio[] {
  const against = (peer: string): number => {
    const own = measurements.values(`${MAPS[0] ?? ''} ${direction}`, OWN, METRIC);
    const means = own.map((_, round) => {
      const ratios = MAPS.map((document) => {
        const scenario = `${document} ${direction}`;
        const speed = measurements.values(scenario, OWN, METRIC)[round] ?? NaN;
        return speed / (measurements.values(scenario, peer, METRIC)[round] ?? NaN);
      });
      return geometricMean(ratios);
    });
    return summarize(means).median;
  };
  return PEERS.map((peer) => ({
    name: `${direction}, documents 1-4, geometric mean / ${peer}`,
    value: against(peer),
    better: 'more',
    target: TARGETS[direction],
  }));
}

function jsonRatios(measurements: Measurements, document: string): Ratio[] {
  return ['encode', 'decode'].flatMap((direction) => {
    const scenario = `${document} ${direction}`;
    const name = `${scenario} / JSON`;
    return measurements.ratio({ name, scenario, metric: METRIC, better: 'more', target: 1 }, OWN, 'JSON');
  });
}
