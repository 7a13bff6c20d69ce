import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { pythonRegexProblem } from "../../src/content/python-regex/python-regex.ts";

/*
 * Python's own answers; the differential test compares thousands more where Python is at hand.
 */
const COMPILES = [
  "",
  "^https?://[^/]+/$",
  "a{2,3}?b*+c??",
  "{}{x}{1,x}",
  "x{,3}",
  "[]a][^]b][a\\-z-]",
  "(?P<name>a)(?P=name)\\1",
  "(?i)a(?-i:B)(?x: # comment\n c )",
  "(?#comment)(?i)a",
  "(?<=ab|cd)e(?<!x{3})(?=f)(?!g)",
  "(a)?b(?(1)c|d)(?(2)e)()",
  "(?>a+)b",
  "\\d\\D\\s\\S\\w\\W\\b\\B\\A\\Z",
  "\\x41\\u0041\\U0001f600\\012\\0\\N{BULLET}",
  "(?:^)*",
  "é😀+",
];

const DOES_NOT_COMPILE: readonly [string, string][] = [
  ["(", "missing ), unterminated subpattern"],
  [")", "unbalanced parenthesis"],
  ["*", "nothing to repeat"],
  ["^*", "nothing to repeat"],
  ["a**", "multiple repeat"],
  ["a{3,2}", "min repeat greater than max repeat"],
  ["a{4294967295}", "the repetition number is too large"],
  ["[a", "unterminated character set"],
  ["[z-a]", "bad character range z-a"],
  ["[\\d-z]", "bad character range \\d-z"],
  ["\\", "bad escape (end of pattern)"],
  ["\\q", "bad escape \\q"],
  ["[\\Z]", "bad escape \\Z"],
  ["\\x4", "incomplete escape \\x4"],
  ["\\U00110000", "bad escape \\U00110000"],
  ["\\400", "octal escape value \\400 outside of range 0-0o377"],
  ["\\1", "invalid group reference 1"],
  ["(\\1)", "cannot refer to an open group"],
  ["(?P=x)", "unknown group name 'x'"],
  ["(?P<1a>x)", "bad character in group name '1a'"],
  ["(?P<a>x)(?P<a>y)", "redefinition of group name 'a'"],
  ["(?P<a", "missing >, unterminated name"],
  ["(?Px)", "unknown extension ?Px"],
  ["(?<a>x)", "unknown extension ?<a"],
  ["(?z)", "unknown extension ?z"],
  ["(?", "unexpected end of pattern"],
  ["(?#", "missing ), unterminated comment"],
  ["a(?i)", "global flags not at the start of the expression"],
  ["(?au)", "bad inline flags: flags 'a', 'u' and 'L' are incompatible"],
  ["(?a)(?u)x", "ASCII and UNICODE flags are incompatible"],
  ["(?L)", "bad inline flags: cannot use 'L' flag with a str pattern"],
  ["(?i-i:x)", "bad inline flags: flag turned on and off"],
  ["(?-u:x)", "bad inline flags: cannot turn off flags 'a', 'u' and 'L'"],
  ["(?<=a*)b", "look-behind requires fixed-width pattern"],
  ["(?<=(a)\\1)b", "cannot refer to a group defined in the same lookbehind subpattern"],
  ["(a)(?(2)b)", "invalid group reference 2"],
  ["(a)(?(0)b)", "bad group number"],
  ["(a)(?(1)b|c|d)", "conditional backref with more than two branches"],
];

test("patterns that Python compiles have no problem", () => {
  for (const pattern of COMPILES) assert.equal(pythonRegexProblem(pattern), null, pattern);
});

test("patterns that Python refuses are refused for the same reason", () => {
  for (const [pattern, problem] of DOES_NOT_COMPILE)
    assert.equal(pythonRegexProblem(pattern), problem, pattern);
});

test("any text gets an answer", () => {
  const unit = fc.constantFrom(..."()[]{}?*+|\\^$-:=!<>#P1ax,");
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 256 }), (pattern) => {
      const problem = pythonRegexProblem(pattern);
      assert.ok(problem === null || problem.length > 0);
    }),
    { numRuns: 2000 },
  );
});
