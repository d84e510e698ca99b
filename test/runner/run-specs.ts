import { resolve } from 'node:path';
import Mocha from 'mocha';
import { mochaHooks } from '../support/clean-up';
import { EventReporter } from './event-reporter';

// The main file of a spec process. The process ends by itself once nothing is open any more.
const [file = '', timeoutMs] = process.argv.slice(2);

const mocha = new Mocha({
  timeout: Number(timeoutMs),
  forbidOnly: true,
  reporter: EventReporter,
  rootHooks: mochaHooks,
});
mocha.addFile(resolve(file));
mocha.run((failures) => {
  process.exitCode = Math.min(failures, 255);
});
