import assert from 'node:assert/strict';
import { IncomingMessage } from 'node:http';
import net from 'node:net';
import { describe, it } from 'mocha';
import { readBody } from '../../../src/gateway/http/body';
import { FakeClock } from '../support/fake-clock';

describe('a body', () => {
  it('may fail once nobody wants the rest of it', async () => {
    const request = new IncomingMessage(new net.Socket());
    request.headers['transfer-encoding'] = 'chunked';
    const body = readBody(request, 10, new FakeClock());
    request.push(Buffer.alloc(11));
    await assert.rejects(body, { code: 'IOTMP_ERR_TOO_LARGE' });
    // Without a listener, this would be thrown.
    assert.equal(request.emit('error', new Error('late')), true);
  });

  it('is not waited for when its client went away before it was asked for', async () => {
    const request = new IncomingMessage(new net.Socket());
    request.headers['transfer-encoding'] = 'chunked';
    request.destroy();
    await new Promise((resolve) => request.once('close', resolve));
    const clock = new FakeClock();
    await assert.rejects(readBody(request, 10, clock), { code: 'IOTMP_ERR_ABORTED' });
    assert.equal(clock.pending, 0);
  });
});
