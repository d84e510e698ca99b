import { guarded, warnProcess } from '../util/guard';
/**
 * Bytes that one turn of the event loop may gather for a connection before they are written at once: a bound on
 * memory, and past it another system call costs little beside the copying.
 */
export const TURN_BYTES = 65_536;

/** Something to do at the end of a turn, which must not throw. It is an object, as a function for each connection costs memory. */
export interface EndOfTurnTask {
  handleEndOfTurn(): void;
}

let waiting: EndOfTurnTask[] = [];

/**
 * Runs `task` at the end of this turn of the event loop: after the code that runs now and after every promise
 * reaction that it leads to, but before the system is asked for the next event. So the answers of one read leave
 * together, also those of asynchronous handlers that had nothing to wait for.
 */
export function atEndOfTurn(task: EndOfTurnTask): void {
  // A tick that is queued from a microtask runs when no microtask is left; one queued from here would run before them.
  if (waiting.push(task) === 1) queueMicrotask(afterMicrotasks);
}

const afterMicrotasks = guarded('end of the microtasks', warnProcess, () => process.nextTick(endTurn));
const endTurn = guarded('end of a turn', warnProcess, runAll);

function runAll(): void {
  const tasks = waiting.values();
  waiting = [];
  try {
    for (const task of tasks) task.handleEndOfTurn();
  } finally {
    // Reached with tasks left only if one threw: it must not cost the other connections their turn.
    for (const task of tasks) atEndOfTurn(task);
  }
}
