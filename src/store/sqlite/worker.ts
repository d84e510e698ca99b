import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { errorText } from '../../errors';
import { toFailure } from './failure';
import { OPENING, type Job, type Report, type WorkerSettings } from './messages';
import { startJobs } from './start-jobs';
import { toIotmpError } from './sqlite-fault';

/** Starts what a {@link WorkerEngine} talks to: the thread that has the file open. */
function main(port: MessagePort, settings: WorkerSettings): void {
  const report = (message: Report): void => port.postMessage(message);
  try {
    const accept = startJobs(settings, { report, end: () => port.close() });
    port.on('message', (jobs: readonly Job[]) => accept(jobs));
    report({ answers: [{ id: OPENING, value: undefined }] });
  } catch (error) {
    report({ answers: [{ id: OPENING, failure: toFailure(toIotmpError(error, settings.file)) }] });
    port.close();
  }
}

/** Older versions of Node.js warn at each start that SQLite is an experiment; of that the package knows. */
process.removeAllListeners('warning');
process.on('warning', (warning) => {
  if (warning.name !== 'ExperimentalWarning') process.stderr.write(`${errorText(warning)}\n`);
});

if (parentPort !== null) main(parentPort, workerData as WorkerSettings);
