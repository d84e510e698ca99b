/** What devices send: 35 bytes as an IoTMP sample, 45 as an MQTT message with a topic of eight characters. */
export const sample = { temperature: 23.5, humidity: 60 } as const;

/** What devices answer. */
export const answer = { temperature: 23.5 } as const;
