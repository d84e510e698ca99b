import { getHeapStatistics } from 'node:v8';

/** Memory of a process and its limits, in bytes. */
export interface MemoryUse {
  readonly heap: number;
  /** The process dies when its heap would grow past this. */
  readonly heapLimit: number;
  readonly resident: number;
  /** The limit of a container, past which the system ends the process; 0 without one. */
  readonly residentLimit: number;
}

/** Share of a limit above which memory is short. */
const SHORT = 0.9;

/** The memory that is short: more than nine tenths of its limit are in use. */
export function shortMemory(use: MemoryUse): 'heap' | 'resident' | undefined {
  if (use.heap > SHORT * use.heapLimit) return 'heap';
  return use.residentLimit > 0 && use.resident > SHORT * use.residentLimit ? 'resident' : undefined;
}

/** The memory of this process now. */
export function memoryUse(): MemoryUse {
  const { heapUsed: heap, rss: resident } = process.memoryUsage();
  return {
    heap,
    heapLimit: getHeapStatistics().heap_size_limit,
    resident,
    residentLimit: process.constrainedMemory(),
  };
}
