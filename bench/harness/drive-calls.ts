import type { CallFigures } from './messages';

/** Times of calls are counted by the µs, up to a tenth of a second. */
const MAX_MICROS = 100_000;
const WARM_UP_MS = 500;

/** What is to be driven, and how hard. */
export interface Drive {
  readonly devices: number;
  /** Calls that are under way at once to each device. */
  readonly inFlight: number;
  readonly seconds: number;
  /** Calls a device, and calls `done` once when it has answered. */
  readonly call: (device: number, done: () => void) => void;
}

/** Keeps calls under way, each answer leading to the next call, and measures them after a warm-up. */
export function driveCalls({ devices, inFlight, seconds, call }: Drive): Promise<CallFigures> {
  const histogram = new Uint32Array(MAX_MICROS + 1);
  let calls = 0;
  let measuring = false;
  let running = true;
  const loop = (device: number): void => {
    let begun = 0;
    const done = (): void => {
      const now = performance.now();
      if (measuring) {
        calls++;
        const micros = Math.min(MAX_MICROS, Math.round((now - begun) * 1000));
        histogram[micros] = (histogram[micros] ?? 0) + 1;
      }
      if (!running) return;
      begun = now;
      call(device, done);
    };
    begun = performance.now();
    call(device, done);
  };
  for (let device = 0; device < devices; device++) {
    for (let copy = 0; copy < inFlight; copy++) loop(device);
  }
  return new Promise((resolve) => {
    setTimeout(() => {
      measuring = true;
      const start = performance.now();
      const cpu = process.cpuUsage();
      setTimeout(() => {
        measuring = false;
        running = false;
        const used = process.cpuUsage(cpu);
        resolve({
          calls,
          seconds: (performance.now() - start) / 1000,
          cpu: (used.user + used.system) / 1e6,
          median: quantile(histogram, calls, 0.5),
          p99: quantile(histogram, calls, 0.99),
        });
      }, seconds * 1000);
    }, WARM_UP_MS);
  });
}

function quantile(histogram: Uint32Array, total: number, share: number): number {
  let seen = 0;
  for (let micros = 0; micros < histogram.length; micros++) {
    seen += histogram[micros] ?? 0;
    if (seen >= total * share) return micros;
  }
  return MAX_MICROS;
}
