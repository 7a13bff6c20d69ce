/**
 * One problem of a query or a body; a 422 answer is a JSON array of them. `loc[0]` is the parameter as the client
 * wrote it. Source: the validation errors of pyaleph `src/aleph/web/controllers/utils.py`.
 */
export interface ValidationProblem {
  readonly type: string;
  readonly loc: readonly (string | number)[];
  readonly msg: string;
  readonly input: unknown;
  readonly ctx?: Readonly<Record<string, unknown>>;
}

/** Longer inputs are cut in the answer: nobody needs a megabyte back. */
const MAX_ECHOED_CHARACTERS = 200;

/** What is echoed of an input. */
export function echoOf(input: string): string {
  return input.length <= MAX_ECHOED_CHARACTERS ? input : `${input.slice(0, MAX_ECHOED_CHARACTERS)}...`;
}
