import { budgetKey, type Clock, isLoopback } from "@twentysix/platform";
import type { FastifyInstance } from "fastify";
import { ApiError } from "../errors.ts";
import type { RateLimits } from "../settings.ts";
import { TokenBuckets } from "./token-buckets.ts";

/** What a request costs of its address's budget. A route names its class in `config.cost`. */
export const REQUEST_COSTS = { free: 0, point: 1, list: 5, write: 2, upload: 20 } as const;
export type CostClass = keyof typeof REQUEST_COSTS;

declare module "fastify" {
  interface FastifyContextConfig {
    readonly cost?: CostClass;
  }
}

/**
 * Refuses requests of an address that has used up its budget with 429 and Retry-After.
 *
 * The machine itself is not limited: behind a proxy that is not configured every client would look like it, and
 * they would starve each other. Name the proxy in `trustedProxies` to limit its clients.
 */
export function addRateLimit(api: FastifyInstance, limits: RateLimits, clock: Clock): void {
  if (limits.perSecond <= 0) return;
  const { perSecond, burst, maxAddresses } = limits;
  const buckets = new TokenBuckets({ perSecond, burst, maxKeys: maxAddresses }, () => clock.monotonicMs());
  api.addHook("onRequest", (request, _reply, done) => {
    const cost = REQUEST_COSTS[request.routeOptions.config.cost ?? "point"];
    if (cost === 0 || isLoopback(request.ip)) return done();
    const waitSeconds = buckets.take(budgetKey(request.ip), cost);
    if (waitSeconds === 0) return done();
    const seconds = Math.max(1, Math.ceil(waitSeconds));
    done(
      new ApiError(
        "API_RATE_LIMITED",
        `Too many requests from ${request.ip}: try again in ${seconds} s, or run a node of your own`,
        { retryAfterSeconds: seconds, unitsPerSecond: perSecond, cost },
        { "retry-after": String(seconds) },
      ),
    );
  });
}
