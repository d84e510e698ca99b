import { ContenderProcess, type ContenderLaunch } from './contender-process';
import type { Mark } from './messages';
import { MosquittoProcess } from './mosquitto-process';

/** A contender that listens, whatever it is made of. */
export interface RunningContender {
  readonly port: number;
  mark(): Promise<Mark>;
  /** Resolves when it is gone. */
  stop(): Promise<void>;
}

/** Stands for the one contender that is no program of the benchmark's. */
export const MOSQUITTO = 'mosquitto';

/** Starts a contender of either kind. */
export function launchContender(launch: ContenderLaunch): Promise<RunningContender> {
  return launch.script === MOSQUITTO ? MosquittoProcess.launch() : ContenderProcess.launch(launch);
}
