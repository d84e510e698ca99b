/** Keys of settings as devices keep them: 40 in all, nested, with arrays and strings (781 bytes of JSON). */
const settings = {
  name: 'greenhouse-north-07',
  firmware: { version: '2.14.3', channel: 'stable', checksum: '9f86d081884c7d659a2feaa0c55ad015' },
  network: {
    ssid: 'plant-operations',
    hostname: 'gh-north-07.example.org',
    address: '192.168.40.107',
    gateway: '192.168.40.1',
    dns: ['192.168.40.1', '9.9.9.9'],
  },
  broker: { host: 'iot.example.org', port: 25206, tls: true, keepAlive: 60, retry: [5, 15, 60] },
  sampling: {
    intervalMs: 5000,
    average: 8,
    channels: [
      { id: 1, kind: 'temperature', offset: -0.25, enabled: true },
      { id: 2, kind: 'humidity', offset: 1.5, enabled: true },
      { id: 3, kind: 'co2', offset: 0, enabled: false },
    ],
  },
  limits: { low: 12.5, high: 31.75, alarm: ['email', 'relay'], hysteresis: 0.5 },
  tags: ['north', 'tomato', 'zone-3', 'night-setback', 'calibrated'],
  note: 'sensor 3 replaced, calibrated',
};

/** The documents of the codec suite, as `docs/performance.md` lists them. */
export const documents: Readonly<Record<string, unknown>> = {
  '1 reading': { temperature: 23.5, humidity: 60, pressure: 1013, label: 'outdoor' },
  '2 pair': { temperature: 23.4, humidity: 60 },
  '3 eight readings': {
    temperature: 21.37,
    humidity: 48.2,
    pressure: 1013.25,
    co2: 612,
    voc: 0.137,
    pm25: 7.4,
    lux: 340,
    battery: 87,
  },
  '4 settings': settings,
  '5 buffer': Buffer.alloc(65_536, 'iot'),
};
