import type { ValidationProblem } from "./validation-problem.ts";

/** The problem of a range whose end lies before its start; 0 means that a bound is not given. */
export function reversedRange(
  start: { readonly name: string; readonly value: number },
  end: { readonly name: string; readonly value: number },
): ValidationProblem[] {
  if (start.value === 0 || end.value === 0 || end.value >= start.value) return [];
  return [
    {
      type: "value_error",
      loc: [end.name],
      msg: `${end.name} cannot be lower than ${start.name}`,
      input: String(end.value),
    },
  ];
}
