import type { Migration } from "./migration.ts";

/**
 * One pin for each reason: the transaction of a sync archive keeps a file once, and a file has one time of grace, the
 * longest. What no pin may do is said to the database too, which refuses it whoever writes.
 */
const uniqueness = `
DELETE FROM pins WHERE kind = 3 AND EXISTS (
  SELECT 1 FROM pins AS longer WHERE longer.kind = 3 AND longer.file_id = pins.file_id
    AND (longer.delete_by_us, longer.id) > (pins.delete_by_us, pins.id));
DROP INDEX pins_grace;
CREATE UNIQUE INDEX pins_grace ON pins (file_id) WHERE kind = 3;
DELETE FROM pins WHERE kind = 2 AND EXISTS (
  SELECT 1 FROM pins AS first WHERE first.kind = 2 AND first.file_id = pins.file_id
    AND first.tx_hash = pins.tx_hash AND first.id < pins.id);
CREATE UNIQUE INDEX pins_tx ON pins (file_id, tx_hash) WHERE kind = 2;
`;

/**
 * On a server others may write as well. Inside of this process the writer alone does, \`twentysix verify\` looks for
 * pins that lead nowhere, and a foreign key would take a rebuilt table. An item is never deleted, whatever becomes of
 * its message. Checked at the commit, since a batch writes in the order of its tables.
 */
const references = `
DELETE FROM pins WHERE NOT EXISTS (SELECT 1 FROM files WHERE files.id = pins.file_id)
  OR (item_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM items WHERE items.id = pins.item_id));
ALTER TABLE pins
  ADD CONSTRAINT pins_of_file FOREIGN KEY (file_id) REFERENCES files (id) DEFERRABLE INITIALLY DEFERRED,
  ADD CONSTRAINT pins_of_item FOREIGN KEY (item_id) REFERENCES items (id) DEFERRABLE INITIALLY DEFERRED;
`;

export const uniquePins: Migration = {
  number: 9,
  name: "unique pins",
  sql: { sqlite: uniqueness, postgres: uniqueness + references },
};
