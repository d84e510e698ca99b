import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LOAD_SOURCES } from './places';

/** The compiled load generator. */
export interface GeneratorProgram {
  readonly path: string;
  /** Whether it can make TLS connections: that needs the OpenSSL headers. */
  readonly hasTls: boolean;
}

let built: GeneratorProgram | undefined;

/**
 * Compiles the load generator into a temporary directory, once, which is removed at the end of the process.
 * `undefined` where there is no C compiler or the system is not Linux.
 */
export function buildGenerator(): GeneratorProgram | undefined {
  if (process.platform !== 'linux') return undefined;
  built ??= compile();
  return built;
}

function compile(): GeneratorProgram | undefined {
  const directory = mkdtempSync(join(tmpdir(), 'iotmp-load-'));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, 'generator');
  const sources = readdirSync(LOAD_SOURCES).filter((name) => name.endsWith('.c'));
  const common = ['-std=gnu11', '-O2', '-o', path, ...sources.map((name) => join(LOAD_SOURCES, name))];
  const run = (extra: readonly string[]): boolean =>
    spawnSync('cc', [...common, ...extra], { stdio: 'ignore' }).status === 0;
  if (run(['-DWITH_TLS', '-lssl', '-lcrypto'])) return { path, hasTls: true };
  return run([]) ? { path, hasTls: false } : undefined;
}

/** What a suite says that cannot run without the generator. */
export const NO_GENERATOR =
  'Skipped: the load generator needs Linux and a C compiler as `cc` on the PATH; there is none.';
