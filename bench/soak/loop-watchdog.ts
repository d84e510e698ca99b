import { writeFileSync } from 'node:fs';
import { Session, type Profiler } from 'node:inspector';
import { join } from 'node:path';
import { workerData } from 'node:worker_threads';
import type { WatchdogData } from './loop-watch';

// The thread of a LoopWatch. It has the main thread profiled all the time, and keeps the profile of a time in which the
// event loop stood still for long. It needs nothing of the main thread, which may never come back.

const LOOK_MS = 100;
const STALL_MS = 500;
/** Length of a profile that is thrown away when nothing happened, in ms. To begin another one takes 100 ms of the main thread. */
const PROFILE_MS = 300_000;
/** Time between two looks at the stack, in us: little enough to see what ran, and rare enough to cost nothing. */
const SAMPLING_US = 10_000;
const MAX_PROFILES = 20;

const { beats, folder } = workerData as WatchdogData;
const session = new Session();
session.connectToMainThread();
session.post('Profiler.enable');
session.post('Profiler.setSamplingInterval', { interval: SAMPLING_US });

let written = 0;
let profilingSince = 0;
let lastBeats = 0;
let beatAt = performance.now();
let cpuAtBeat = process.cpuUsage();
let stalled = false;

function start(): void {
  session.post('Profiler.start');
  profilingSince = performance.now();
}

/** Ends the profile, and hands it over where it is wanted. */
function stop(keep?: (profile: Profiler.Profile) => void): void {
  session.post('Profiler.stop', (error, answer) => {
    if (error === null) keep?.(answer.profile);
  });
}

function look(): void {
  const now = performance.now();
  const count = Atomics.load(beats, 0);
  if (count !== lastBeats) {
    if (stalled) restart(now - beatAt);
    lastBeats = count;
    beatAt = now;
    cpuAtBeat = process.cpuUsage();
  } else if (now - beatAt > STALL_MS) stalled = true;
  if (!stalled && now - profilingSince > PROFILE_MS) restart();
}

/** Begins another profile. That of a stall is kept. */
function restart(stallMs?: number): void {
  stalled = false;
  if (stallMs === undefined || written >= MAX_PROFILES) stop();
  else {
    const { user, system } = process.cpuUsage(cpuAtBeat);
    const cpuMs = ((user + system) / 1000).toFixed(0);
    const number = String(++written).padStart(2, '0');
    const name = `stall-${number}-${stallMs.toFixed(0)}ms-${cpuMs}ms.cpuprofile`;
    stop((profile) => writeFileSync(join(folder, name), JSON.stringify(profile)));
  }
  start();
}

start();
setInterval(look, LOOK_MS);
