import { choice, json } from './kinds';
import { nodeSettings } from './setting';
import { answerTime, hostedResource, linkProperties } from './shared';

/** Longest time that a flow may take for its answer, in s: a day. */
const MAX_ANSWER_TIME_S = 86_400;

/** Settings of the `iotmp-resource-in` node. */
export const resourceInTable = nodeSettings('iotmp-resource-in', {
  ...linkProperties,
  resource: hostedResource('hosted'),
  kind: choice({
    choices: ['run', 'input', 'output', 'inout', 'endpoint'],
    default: 'run',
    check: 'kind',
  }),
  reply: choice({ choices: ['auto', 'flow'], default: 'auto' }),
  timeout: answerTime({ max: MAX_ANSWER_TIME_S, check: 'timeout', shared: true }),
  inSample: json(),
  outSample: json(),
});
