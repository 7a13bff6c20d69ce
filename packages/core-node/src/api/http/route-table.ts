import type { FastifyInstance } from "fastify";

interface KnownPath {
  readonly pattern: RegExp;
  readonly methods: Set<string>;
}

/**
 * Which methods each path supports, collected while routes are registered. Consulted for requests that no route
 * takes, to tell 405 from 404 and to answer preflights.
 */
export class RouteTable {
  readonly #paths = new Map<string, KnownPath>();

  constructor(api: FastifyInstance) {
    api.addHook("onRoute", ({ method, url }) => {
      for (const name of Array.isArray(method) ? method : [method]) this.#add(name, url);
    });
  }

  /** The methods of a path, empty when it is unknown. */
  methodsOf(path: string): ReadonlySet<string> {
    const methods = new Set<string>();
    for (const known of this.#paths.values()) {
      if (known.pattern.test(path)) for (const method of known.methods) methods.add(method);
    }
    return methods;
  }

  #add(method: string, url: string): void {
    let known = this.#paths.get(url);
    if (known === undefined) {
      known = { pattern: patternOf(url), methods: new Set() };
      this.#paths.set(url, known);
    }
    known.methods.add(method);
  }
}

function patternOf(url: string): RegExp {
  const source = url
    .split("/")
    .map((segment) =>
      segment === "*"
        ? ".*"
        : segment
            .split(/(:[a-z_]+)/)
            .map((piece) => (piece.startsWith(":") ? "[^/]+" : piece.replaceAll(".", "\\.")))
            .join(""),
    )
    .join("/");
  return new RegExp(`^${source}$`);
}
