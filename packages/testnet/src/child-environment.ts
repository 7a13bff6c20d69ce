/**
 * What the processes of the network see of this one's environment. Settings in it are meant for one node and would
 * become those of all; and what npm says of us makes commands watch their parent, which here is told over a channel.
 */
export function childEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(
    Object.entries(environment).filter(
      ([name]) => !name.startsWith("TWENTYSIX_") && name !== "npm_lifecycle_event",
    ),
  );
}
