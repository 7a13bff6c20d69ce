/** JSON for people: integers of any size as their digits, errors by their message alone since stacks name places of a machine. */
export function toldJson(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) => {
    if (member instanceof Error) return causesOf(member).join(" <- ");
    return typeof member === "bigint" ? member.toString() : member;
  });
}

function causesOf(error: unknown): string[] {
  if (!(error instanceof Error)) return error === undefined ? [] : [String(error)];
  return [error.message, ...causesOf(error.cause)];
}
