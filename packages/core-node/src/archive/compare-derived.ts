import type { SqliteConnection } from "@twentysix/storage";

/** Each derived table as rows of texts without local ids, in an order of their own. */
const VIEWS: Readonly<Record<string, string>> = {
  messages: `SELECT hex(i.hash), m.type, c.label, s.address, o.address, ch.channel, l.label, hex(m.ref), CAST(m.time_us AS TEXT),
      CAST(m.content_time_us AS TEXT), m.size, m.size_bytes
    FROM messages m JOIN items i ON i.id = m.id JOIN addresses s ON s.id = m.sender_id JOIN addresses o ON o.id = m.owner_id
    JOIN labels c ON c.id = m.chain_id LEFT JOIN channels ch ON ch.id = m.channel_id LEFT JOIN labels l ON l.id = m.label_id
    ORDER BY i.hash`,
  posts: `SELECT hex(i.hash), hex(c.hash), CAST(p.updated_us AS TEXT), hex(t.hash) FROM posts p JOIN items i ON i.id = p.id
    JOIN items c ON c.id = p.current_id JOIN items t ON t.id = p.tags_id ORDER BY i.hash`,
  amends: `SELECT hex(i.hash), hex(t.hash) FROM amends a JOIN items i ON i.id = a.id JOIN items t ON t.id = a.target_id
    ORDER BY i.hash`,
  aggregates: `SELECT o.address, l.label, hex(f.hash), hex(e.hash) FROM aggregates a JOIN addresses o ON o.id = a.owner_id
    JOIN labels l ON l.id = a.key_id JOIN items f ON f.id = a.first_id JOIN items e ON e.id = a.last_id
    ORDER BY o.address, l.label`,
  aggregate_fields: `SELECT o.address, l.label, f.field, hex(i.hash), f.value FROM aggregate_fields f
    JOIN addresses o ON o.id = f.owner_id JOIN labels l ON l.id = f.key_id JOIN items i ON i.id = f.item_id
    ORDER BY o.address, l.label, f.field`,
  file_tags: `SELECT t.tag, o.address, hex(f.hash), hex(i.hash) FROM file_tags t JOIN addresses o ON o.id = t.owner_id
    JOIN files f ON f.id = t.file_id JOIN items i ON i.id = t.item_id ORDER BY t.tag`,
  vms: `SELECT hex(i.hash), hex(o.hash), v.allow_amend, v.triggers FROM vms v JOIN items i ON i.id = v.id
    JOIN items o ON o.id = v.original_id ORDER BY i.hash`,
  forgets: `SELECT hex(i.hash), hex(f.hash) FROM forgets r JOIN items i ON i.id = r.item_id JOIN items f ON f.id = r.forget_id
    ORDER BY i.hash, f.hash`,
  counters: `SELECT dimension, a, b, n FROM counters WHERE n <> 0 AND dimension IN (0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 17)
    ORDER BY dimension, a, b`,
};

/** Differences listed for one table; the rest is counted. */
const MAX_LISTED = 5;
const CHUNK = 2_000;

/** Compares the derived tables of two databases row by row. */
export function compareDerived(stored: SqliteConnection, computed: SqliteConnection): string[] {
  return Object.entries(VIEWS).flatMap(([name, query]) => compareView(name, query, stored, computed));
}

function compareView(
  name: string,
  query: string,
  stored: SqliteConnection,
  computed: SqliteConnection,
): string[] {
  const problems: string[] = [];
  let different = 0;
  for (let offset = 0; ; offset += CHUNK) {
    const left = rowsOf(stored, query, offset);
    const right = rowsOf(computed, query, offset);
    for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
      if (left[index] === right[index]) continue;
      different += 1;
      if (different <= MAX_LISTED) {
        problems.push(`${name}: stored ${left[index] ?? "nothing"}, computed ${right[index] ?? "nothing"}`);
      }
    }
    if (left.length < CHUNK && right.length < CHUNK) break;
  }
  if (different > MAX_LISTED) problems.push(`${name}: ${different - MAX_LISTED} more differences`);
  return problems;
}

function rowsOf(connection: SqliteConnection, query: string, offset: number): string[] {
  return connection
    .all(`${query} LIMIT ${CHUNK} OFFSET ${offset}`)
    .map((row) => JSON.stringify(Object.values(row)).slice(0, 400));
}
