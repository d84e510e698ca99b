/** What the simulated station measures. */
export interface WeatherState {
  readonly battery: { readonly voltage: number; readonly percent: number };
  readonly position: { readonly lat: number; readonly lon: number };
  /** Since the start, in s. */
  readonly uptime: number;
}

/** Length of a day of the station, in s: short, so that something happens while one watches. */
const DAY_S = 240;
const MEAN_TEMPERATURE = 21.4;
const DAILY_SWING = 3;

/** Weather that one can believe: a daily course, and a slow random walk that always finds back to it. */
export class Weather {
  readonly #random: () => number;
  #uptime = 0;
  #drift = 0;
  #humidityDrift = 0;

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** A second goes by. */
  tick(): void {
    this.#uptime += 1;
    this.#drift = this.#walk(this.#drift, 0.1);
    this.#humidityDrift = this.#walk(this.#humidityDrift, 0.5);
  }

  /** In degrees Celsius, such as 21.4. */
  get temperature(): number {
    const course = DAILY_SWING * Math.sin((2 * Math.PI * this.#uptime) / DAY_S);
    return rounded(MEAN_TEMPERATURE + course + this.#drift, 1);
  }

  /** Relative, in percent: falls when it gets warmer. */
  get humidity(): number {
    const value = 55 - 3 * (this.temperature - MEAN_TEMPERATURE) + this.#humidityDrift;
    return rounded(Math.min(100, Math.max(0, value)), 0);
  }

  get state(): WeatherState {
    const percent = Math.max(5, rounded(97 - this.#uptime / 600, 0));
    return {
      battery: { voltage: rounded(3.2 + percent / 100, 2), percent },
      position: { lat: 40.4168, lon: -3.7038 },
      uptime: this.#uptime,
    };
  }

  #walk(value: number, step: number): number {
    return value * 0.95 + step * (2 * this.#random() - 1);
  }
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
