import { getHeapSnapshot } from 'node:v8';
import { HostedServer } from '../../../../nodes/lib/server/hosted-server';

/**
 * Run as a child process: hosts a server with one device, whose credential comes scrambled, and says which of two texts
 * is in the heap when it is asked: the credential, and one that is held on purpose.
 */
const [credential = '', held = ''] = process.argv.slice(2);

/** Scrambled, so that the text itself is not in the memory of this process. */
function textOf(scrambled: string): string {
  return Buffer.from(scrambled, 'base64').reverse().toString('latin1');
}

async function isInHeap(): Promise<{ credential: boolean; held: boolean }> {
  let snapshot = '';
  const found = { credential: false, held: false };
  for await (const chunk of getHeapSnapshot()) {
    // Texts may lie across the border of two chunks.
    snapshot = snapshot.slice(-256) + String(chunk);
    found.credential ||= snapshot.includes(textOf(credential));
    found.held ||= snapshot.includes(textOf(held));
  }
  return found;
}

async function main(): Promise<void> {
  const devices = [{ user: 'anna', device: 'pump', credential: textOf(credential) }];
  const hosted = new HostedServer({ host: '127.0.0.1', tcpPort: 0, devices }, undefined);
  const holder = { text: textOf(held) };
  await hosted.start();
  const tcp = hosted.server.listenerStatus.get('tcp');
  process.on('message', () => {
    // The holder lives on with this listener.
    void isInHeap().then((found) => process.send?.({ ...found, heldLength: holder.text.length }));
  });
  process.send?.(tcp);
}

void main();
