const PERIOD_MS = 500;

/**
 * Tells when the process that started this one has ended. npm runs a script in a shell that does not pass signals on,
 * so this is how an end of npm is noticed. It keeps no program alive.
 */
export function watchParent(onEnded: () => void): void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    onEnded();
  }, PERIOD_MS);
  timer.unref();
}
