/** The part of Node-RED's test helper that these tests use; it has no types of its own. */
declare module 'node-red-node-test-helper' {
  import type { NodeInitializer } from 'node-red';

  /** What a logger of Node-RED is given. */
  interface LogEntry {
    readonly level: number;
    readonly id?: string;
    readonly type?: string;
    readonly msg: unknown;
  }

  /** An answer of the admin API. */
  interface AdminAnswer {
    readonly status: number;
    readonly body: unknown;
    readonly text: string;
    readonly headers: Readonly<Record<string, string>>;
  }

  /** A request to the admin API, which is sent when it is awaited. */
  interface AdminCall extends PromiseLike<AdminAnswer> {
    set(headers: Readonly<Record<string, string>>): AdminCall;
    send(body: object): AdminCall;
  }

  interface TestHelper {
    init(runtimePath: string): void;
    settings(userSettings: Record<string, unknown>): unknown;
    startServer(): Promise<void>;
    stopServer(): Promise<void>;
    load(
      nodes: readonly NodeInitializer[],
      flow: readonly object[],
      credentials: Record<string, unknown>,
    ): Promise<void>;
    unload(): Promise<void>;
    setFlows(flow: readonly object[], type: string): Promise<void>;
    getNode(id: string): unknown;
    request(): {
      get(path: string): AdminCall;
      delete(path: string): AdminCall;
      post(path: string): AdminCall;
      put(path: string): AdminCall;
    };
    url(): string;
    log(): { readonly args: readonly (readonly [LogEntry])[] };
  }

  const helper: TestHelper;
  export = helper;
}
