import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { atEndOfTurn as scheduleTask } from '../../../src/transport/end-of-turn';

const atEndOfTurn = (task: () => void): void => scheduleTask({ handleEndOfTurn: task });
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

describe('atEndOfTurn', () => {
  it('runs after all promise reactions and ticks of the turn, and before the next one', async () => {
    const order: string[] = [];
    await new Promise<void>((resolve) => {
      setImmediate(() => {
        atEndOfTurn(() => order.push('end'));
        process.nextTick(() => order.push('tick'));
        void (async () => {
          for (let i = 0; i < 20; i++) await Promise.resolve();
          order.push('reaction');
        })();
        setImmediate(resolve);
        order.push('code');
      });
    });
    assert.deepEqual(order, ['code', 'tick', 'reaction', 'end']);
  });

  it('runs tasks in their order, each once', async () => {
    const order: number[] = [];
    for (let i = 0; i < 5; i++) atEndOfTurn(() => order.push(i));
    await nextTurn();
    await nextTurn();
    assert.deepEqual(order, [0, 1, 2, 3, 4]);
  });

  it('runs a task that a task asks for still in this turn', async () => {
    const order: string[] = [];
    atEndOfTurn(() => {
      order.push('first');
      atEndOfTurn(() => order.push('second'));
    });
    await nextTurn();
    assert.deepEqual(order, ['first', 'second']);
  });

  it('runs the tasks after one that throws, which is a warning of the process', async () => {
    const order: string[] = [];
    const warned = new Promise<Error>((resolve) => process.once('warning', resolve));
    atEndOfTurn(() => order.push('before'));
    atEndOfTurn(() => {
      throw new Error('broken task');
    });
    atEndOfTurn(() => order.push('after'));
    const { name, message } = await warned;
    await nextTurn();
    assert.equal(`${name}: ${message}`, 'IotmpFault: broken task');
    assert.deepEqual(order, ['before', 'after']);
  });
});
