import type { FastifyInstance, RouteOptions } from "fastify";

declare module "fastify" {
  interface FastifyInstance {
    readonly describedRoutes: readonly DescribedRoute[];
  }
}

/** What the document of the API tells of a route is in its config. */
export type DescribedRoute = Pick<RouteOptions, "method" | "url" | "config">;

/** Collects the routes that carry a description, in the order in which they are registered from here on. */
export function collectDescribedRoutes(api: FastifyInstance): void {
  const routes: DescribedRoute[] = [];
  api.decorate("describedRoutes", routes);
  api.addHook("onRoute", ({ method, url, config }) => {
    if (config?.description !== undefined) routes.push({ method, url, config });
  });
}
