export function pythonRegexProblem(_pattern: string): string | null {
  return null;
}
