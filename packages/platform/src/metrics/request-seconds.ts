import { Histogram, type Registry } from "prom-client";

/** A request that was answered: its route as it is written in the code, so that there is a bounded number. */
export interface AnsweredRequest {
  readonly route: string;
  readonly method: string;
  readonly status: number;
  readonly seconds: number;
}

export type RequestSeconds = (request: AnsweredRequest) => void;

interface Observer {
  observe(value: number): void;
}

/** Measures every request of an HTTP API by route, method and class of status. */
export function createRequestSeconds(registry: Registry): RequestSeconds {
  const histogram = new Histogram({
    name: "twentysix_http_request_duration_seconds",
    help: "Time from the request's headers to the end of the answer.",
    labelNames: ["route", "method", "status"],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30],
    registers: [registry],
  });
  // Looking a labelled histogram up costs more than filling it: each combination is looked up once.
  const observers = new Map<string, Observer>();
  return ({ route, method, status, seconds }) => {
    const statusClass = `${Math.floor(status / 100)}xx`;
    const key = `${method} ${statusClass} ${route}`;
    let observer = observers.get(key);
    if (observer === undefined) {
      observer = histogram.labels({ route, method, status: statusClass });
      observers.set(key, observer);
    }
    observer.observe(seconds);
  };
}
