import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';

const PLACES = ['/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto', '/opt/homebrew/sbin/mosquitto'];
const program = PLACES.find((place) => existsSync(place));

/** Whether this machine has a Mosquitto. */
export const hasMosquitto = program !== undefined;

/** An MQTT broker that is a process of its own, on a port of the loopback interface. Its owner stops it. */
export async function startMosquitto(port: number): Promise<{ stop(): Promise<void> }> {
  if (program === undefined) throw new Error('Mosquitto is not installed');
  // Without a file of settings it listens on the loopback interface only.
  const child = spawn(program, ['-p', String(port), '-v'], { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = once(child, 'close');
  const lines = createInterface(child.stderr);
  const running = new Promise<void>((resolve, reject) => {
    lines.on('line', (line) => {
      if (line.includes('running')) resolve();
    });
    child.on('error', reject);
    child.on('close', (code) => reject(new Error(`Mosquitto ended with ${code}`)));
  });
  await running;
  return {
    stop: async () => {
      child.kill();
      await ended;
    },
  };
}
