/** The series of a Prometheus text: `name{label="value"}` and its value. */
export function readMetrics(text: string): ReadonlyMap<string, number> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => {
      const end = line.lastIndexOf(" ");
      return [line.slice(0, end), Number(line.slice(end + 1))];
    }),
  );
}

/** As `/metrics` of a node that runs has them. */
export async function metricsOf(apiUrl: string): Promise<ReadonlyMap<string, number>> {
  const answer = await fetch(`${apiUrl}/metrics`);
  if (answer.status !== 200) throw new Error(`${answer.status} ${await answer.text()}`);
  return readMetrics(await answer.text());
}
