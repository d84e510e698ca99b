import type { IotmpServer } from '../../broker/broker';
import { DeviceTotals } from '../../broker/device-totals';
import type { Clock } from '../../util/clock';
import { EventLoopDelay } from './event-loop-delay';
import { LabelCounter, LatencyHistogram, MetricsText, type MetricSample } from './metrics-text';
import type { Losses } from '../../services/losses';

/** What is counted elsewhere. */
export interface Gauges {
  /** Number of open sockets and event streams. */
  readonly sockets: () => number;
  /** Number of kept records that cannot be read. */
  readonly damagedRecords: () => number;
  /** Number of entries that the audit log could not keep. */
  readonly auditGaps: () => number;
}

/** The metrics of the server and the gateway. */
export class GatewayMetrics {
  readonly requests = new LabelCounter();
  readonly requestSeconds = new LatencyHistogram();
  readonly callErrors = new LabelCounter();
  readonly callSeconds = new LatencyHistogram();
  readonly samplesSent = new LabelCounter();
  readonly samplesDropped = new LabelCounter();
  /** WebSockets of programs that were refused, by status. */
  readonly socketsRefused = new LabelCounter();
  /** WebSockets of programs that were cut, by reason. */
  readonly socketsCut = new LabelCounter();
  readonly #server: IotmpServer;
  readonly #losses: Losses;
  readonly #ends: readonly (() => void)[];
  readonly #gauges: Gauges;
  readonly #totals: DeviceTotals;
  readonly #delay: EventLoopDelay;

  constructor(server: IotmpServer, losses: Losses, clock: Clock, gauges: Gauges) {
    this.#server = server;
    this.#losses = losses;
    this.#ends = [
      losses.attach('frame', () => this.samplesDropped.total()),
      losses.attach('request', () => this.requests.total(isTooMany) + this.socketsRefused.total(isTooMany)),
    ];
    this.#gauges = gauges;
    this.#totals = new DeviceTotals(server);
    this.#delay = new EventLoopDelay(clock);
  }

  /** All metrics in the text format of Prometheus. */
  text(): string {
    const text = new MetricsText();
    this.#addDevices(text);
    this.#addGateway(text);
    this.#addProcess(text);
    return text.toString();
  }

  close(): void {
    for (const end of this.#ends) end();
    this.#totals.close();
    this.#delay.close();
  }

  #addDevices(text: MetricsText): void {
    const { connections, disconnections, counters } = this.#totals;
    const losses = Object.entries(this.#losses.counts);
    const { counts } = this.#server.refusedLogins;
    const refusals = [...counts].map(([reason, count]): MetricSample => [{ reason }, count]);
    text
      .add('iotmp_devices_connected', 'gauge', 'Devices that are connected.', [
        [{}, this.#server.deviceCount],
      ])
      .add('iotmp_connections_total', 'counter', 'Logins of devices.', [[{}, connections]])
      .add('iotmp_disconnections_total', 'counter', 'Connections that ended.', [[{}, disconnections]])
      .add('iotmp_refused_logins_total', 'counter', 'Logins that were refused.', atLeastOne(refusals))
      .add(
        'iotmp_lost_total',
        'counter',
        'What was dropped, cut or refused, by kind.',
        losses.map(([kind, count]): MetricSample => [{ kind }, count]),
      )
      .add('iotmp_messages_total', 'counter', 'Messages from and to devices.', [
        [{ direction: 'in' }, counters.messagesIn],
        [{ direction: 'out' }, counters.messagesOut],
      ])
      .add('iotmp_bytes_total', 'counter', 'Bytes from and to devices.', [
        [{ direction: 'in' }, counters.bytesIn],
        [{ direction: 'out' }, counters.bytesOut],
      ]);
  }

  #addGateway(text: MetricsText): void {
    text
      .add('iotmp_http_requests_total', 'counter', 'Requests of programs.', this.requests.samples())
      .add('iotmp_http_request_seconds', 'histogram', 'Time to answer them.', this.requestSeconds.samples())
      .add('iotmp_call_seconds', 'histogram', 'Time that calls of devices took.', this.callSeconds.samples())
      .add('iotmp_call_errors_total', 'counter', 'Calls of devices that failed.', this.callErrors.samples())
      .add('iotmp_damaged_records', 'gauge', 'Kept records that cannot be read and were set aside.', [
        [{}, this.#gauges.damagedRecords()],
      ])
      .add('iotmp_audit_gaps_total', 'counter', 'Entries that the audit log could not keep.', [
        [{}, this.#gauges.auditGaps()],
      ])
      .add('iotmp_sockets_open', 'gauge', 'Sockets and event streams of programs.', [
        [{}, this.#gauges.sockets()],
      ])
      .add('iotmp_samples_sent_total', 'counter', 'Frames sent to sockets.', this.samplesSent.samples())
      .add(
        'iotmp_samples_dropped_total',
        'counter',
        'Frames left out for slow readers.',
        this.samplesDropped.samples(),
      )
      .add(
        'iotmp_sockets_refused_total',
        'counter',
        'Sockets that were refused.',
        this.socketsRefused.samples(),
      )
      .add('iotmp_sockets_cut_total', 'counter', 'Sockets that were cut.', this.socketsCut.samples());
  }

  #addProcess(text: MetricsText): void {
    const { rss, heapUsed } = process.memoryUsage();
    text
      .add(
        'iotmp_event_loop_delay_seconds',
        'gauge',
        'Delay of the event loop since the last look; it is measured while looked at within 150 s.',
        this.#delay
          .look([50, 99, 100])
          .map(([percentile, seconds]) => [{ quantile: String(percentile / 100) }, seconds]),
      )
      .add('iotmp_memory_bytes', 'gauge', 'Memory of the process.', [
        [{ kind: 'resident' }, rss],
        [{ kind: 'heap' }, heapUsed],
      ]);
  }
}

/** Whether a request was refused because there were too many, or for want of room. */
function isTooMany({ status }: Readonly<Record<string, string>>): boolean {
  return status === '429' || status === '503';
}

/** A metric has a sample from its beginning. */
function atLeastOne(samples: readonly MetricSample[]): readonly MetricSample[] {
  return samples.length === 0 ? [[{}, 0]] : samples;
}
