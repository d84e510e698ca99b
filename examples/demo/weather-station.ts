/**
 * A simulated weather station: three outputs to read and to stream, and an alarm that speaks up only when there is
 * news.
 *
 *     node dist/examples/demo/weather-station.js --host 127.0.0.1 --user demo --credential demo-weather
 */
import type { HostedResource, IotmpClient } from '../../src';
import { DEMO_DEVICES } from './demo-devices';
import { deviceArguments } from './device-arguments';
import { print, runDevice } from './device-program';
import { Weather } from './weather';

/** Above this temperature the alarm goes on, in degrees Celsius. */
const LIMIT = 23;
/** So much colder it has to be before the alarm goes off again. */
const HYSTERESIS = 0.5;

/** Compares the temperature with the limit, and tells who listens when it was crossed. */
class HeatAlarm {
  readonly #weather: Weather;
  readonly #resource: HostedResource;
  #active = false;

  constructor(client: IotmpClient, weather: Weather) {
    this.#weather = weather;
    this.#resource = client.host('alarm', { kind: 'output', run: () => this.#value });
  }

  check(): void {
    const { temperature } = this.#weather;
    const active = temperature > (this.#active ? LIMIT - HYSTERESIS : LIMIT);
    if (active === this.#active) return;
    this.#active = active;
    print(`alarm ${active ? 'on' : 'off'}: ${temperature} °C, the limit is ${LIMIT} °C`);
    this.#resource.publish(this.#value);
  }

  get #value(): { active: boolean; temperature: number; limit: number } {
    return { active: this.#active, temperature: this.#weather.temperature, limit: LIMIT };
  }
}

runDevice(deviceArguments(DEMO_DEVICES.weatherStation), (client) => {
  const weather = new Weather();
  client.host('temperature', { kind: 'output', run: () => weather.temperature });
  client.host('humidity', { kind: 'output', run: () => weather.humidity });
  client.host('state', { kind: 'output', run: () => weather.state });
  const alarm = new HeatAlarm(client, weather);
  const clock = setInterval(() => {
    weather.tick();
    alarm.check();
  }, 1000);
  return () => clearInterval(clock);
});
