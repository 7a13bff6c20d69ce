import type { FastifyRequest } from "fastify";
import { ControlError } from "../errors.ts";

/** A parameter of the query; null: it is not there. */
export function queryText(request: FastifyRequest, name: string): string | null {
  const [, query = ""] = request.url.split("?", 2);
  return new URLSearchParams(query).get(name);
}

/** @throws ControlError 400 for anything but `true`, `false`, `1` and `0` */
export function queryFlag(request: FastifyRequest, name: string, whenAbsent: boolean): boolean {
  const text = queryText(request, name)?.toLowerCase();
  if (text === undefined) return whenAbsent;
  if (text === "true" || text === "1") return true;
  if (text === "false" || text === "0") return false;
  throw new ControlError(400, `${name} is "${text.slice(0, 64)}"; give true or false`);
}
