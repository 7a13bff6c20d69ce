import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type PostsQuery, STATUS_CODE, type TerminatedQuery, UNLIMITED } from "../../src/index.ts";
import { createListReads } from "../../src/reader.ts";
import { SeedDatabase, type Seeded, sha256 } from "./seed.ts";
import { seedAggregate, seedFile, seedForgotten, seedPin, seedPost } from "./seed-derived.ts";
import { hashesOf, heldText, walkList } from "./walk-list.ts";

const BASE = 1_700_000_000_000_000n;
const first20 = { page: 1, pageSize: 20 };

describe("post list", () => {
  function seeded() {
    const seed = new SeedDatabase();
    const original = seed.message({
      members: '"type":"note","ref":"r1","content":{"id":1152921504606846977,"tags":["old"]}',
      confirmation: { timeMicros: BASE, height: 7 },
    });
    const amend = seed.message({
      members: `"type":"amend","ref":"${original.itemHash}","content":{"id":1152921504606846979}`,
    });
    const plain = seed.message({ sender: "0xB", channel: "OTHER", members: '"type":"blog","content":null' });
    seedPost(seed, {
      original,
      current: amend,
      ref: "r1",
      createdMicros: BASE,
      updatedMicros: BASE + 50n,
      tags: ["new"],
    });
    seedPost(seed, {
      original: plain,
      owner: "0xB",
      type: "blog",
      channel: "OTHER",
      createdMicros: BASE + 10n,
    });
    return { reads: createListReads(seed.connection), original, amend, plain };
  }
  const query = (rest: Partial<PostsQuery> = {}): PostsQuery => ({
    version: 0,
    sortBy: "time",
    direction: "desc",
    ...rest,
  });

  it("shows the amend with the identity of the original, in exactly the nineteen members of version 0", () => {
    const { reads, original, amend } = seeded();
    const item = heldText(reads.lists.posts.page(query(), first20, UNLIMITED).items[0]);
    assert.ok(item.includes('"content":{"id":1152921504606846979},'));
    const value = JSON.parse(item) as Record<string, unknown>;
    assert.equal(Object.keys(value).length, 19);
    assert.deepEqual(
      [value.item_hash, value.original_item_hash, value.hash, value.type, value.original_type],
      [amend.itemHash, original.itemHash, original.itemHash, "amend", "note"],
    );
    assert.deepEqual([value.ref, value.address, value.confirmed], ["r1", "0xA", false]);
    assert.equal(value.item_content, amend.content);
    assert.equal(value.signature, "0x2");
    assert.equal(value.original_signature, "0x1");
  });

  it("shows the nine members of version 1 with both times", () => {
    const { reads, plain, original } = seeded();
    const items = reads.lists.posts.page(query({ version: 1, direction: "asc" }), first20, UNLIMITED).items;
    assert.deepEqual(JSON.parse(heldText(items[0])), {
      item_hash: plain.itemHash,
      content: null,
      original_item_hash: plain.itemHash,
      original_type: "blog",
      address: "0xB",
      ref: null,
      channel: "OTHER",
      created: "2023-11-14T22:13:20.000010+00:00",
      last_updated: "2023-11-14T22:13:20.000010+00:00",
    });
    const amended = JSON.parse(heldText(items[1])) as Record<string, unknown>;
    assert.equal(amended.original_item_hash, original.itemHash);
    assert.equal(amended.last_updated, "2023-11-14T22:13:20.000050+00:00");
  });

  it("filters by every dimension, and finds a post by its amend too", () => {
    const { reads, original, amend, plain } = seeded();
    const cases: [Partial<PostsQuery>, Seeded[]][] = [
      [{ owners: ["0xB"] }, [plain]],
      [{ types: ["note", "amend"] }, [original]],
      [{ types: ["amend"] }, []],
      [{ refs: ["r1"] }, [original]],
      [{ channels: ["OTHER", "TEST"] }, [original, plain]],
      [{ tags: ["new"] }, [original]],
      [{ tags: ["old"] }, []],
      [{ itemHashes: [amend.itemHash, plain.itemHash] }, [original, plain]],
      [{ itemHashes: [original.itemHash, amend.itemHash] }, [original]],
      [{ startMicros: BASE + 50n }, [original]],
      [{ endMicros: BASE + 50n }, [plain]],
    ];
    for (const [filter, expected] of cases) {
      const page = reads.lists.posts.page(query(filter), first20, UNLIMITED);
      const hashes = page.items.map((item) => (JSON.parse(heldText(item)) as { hash: string }).hash);
      assert.deepEqual(
        hashes,
        expected.map(({ itemHash }) => itemHash),
        JSON.stringify(Object.keys(filter)),
      );
      assert.deepEqual([page.total, page.approximate], [expected.length, false]);
    }
  });

  it("orders by the confirmation of the original, unconfirmed first when descending", () => {
    const { reads, original, plain } = seeded();
    const found = (direction: "asc" | "desc") =>
      walkList(reads, "posts", query({ sortBy: "confirmation", direction }), 1).map(
        (item) => (JSON.parse(item) as { hash: string }).hash,
      );
    assert.deepEqual(found("desc"), [plain.itemHash, original.itemHash]);
    assert.deepEqual(found("asc"), [original.itemHash, plain.itemHash]);
  });
});

describe("aggregate list", () => {
  function seeded() {
    const seed = new SeedDatabase();
    const element = seed.message({ type: "AGGREGATE" });
    for (let at = 0; at < 40; at += 1) {
      seedAggregate(seed, {
        owner: `0x${at % 8}`,
        key: `k${Math.floor(at / 8)}`,
        createdMicros: BASE - BigInt(at % 3),
        updatedMicros: BASE + BigInt(at % 4),
        first: element,
        last: element,
        fields: { b: "1.50", a: "9007199254740993" },
      });
    }
    return createListReads(seed.connection);
  }
  interface Item {
    readonly key: string;
    readonly address: string;
    readonly created: string;
    readonly last_updated: string;
  }

  for (const sortBy of ["last_modified", "creation_time"] as const) {
    for (const direction of ["asc", "desc"] as const) {
      it(`walks each aggregate once by ${sortBy} ${direction}, ties by key and owner`, () => {
        const reads = seeded();
        for (const filter of [
          {},
          { keys: ["k0", "k3"] },
          { owners: ["0x1", "0x2"] },
          { keys: ["k1"], owners: ["0x3"] },
        ]) {
          const query = { ...filter, sortBy, direction };
          const items = walkList(reads, "aggregates", query, 3).map((item) => JSON.parse(item) as Item);
          const time = (item: Item) => (sortBy === "creation_time" ? item.created : item.last_updated);
          const sorted = [...items].sort((a, b) => {
            const byTime = time(a) < time(b) ? -1 : time(a) > time(b) ? 1 : 0;
            if (byTime !== 0) return direction === "asc" ? byTime : -byTime;
            return a.key === b.key ? (a.address < b.address ? -1 : 1) : a.key < b.key ? -1 : 1;
          });
          assert.deepEqual(items, sorted);
          assert.equal(new Set(items.map(({ key, address }) => `${key} ${address}`)).size, items.length);
          const page = reads.lists.aggregates.page(query, { page: 2, pageSize: 5 }, UNLIMITED);
          assert.deepEqual(
            page.items.map((item) => JSON.parse(heldText(item)) as Item),
            items.slice(5, 10),
          );
          if (page.items.length > 0) assert.equal(page.total, items.length);
        }
        assert.equal(walkList(reads, "aggregates", { sortBy, direction }).length, 40);
      });
    }
  }

  it("keeps the numbers of the values as written", () => {
    const [item = ""] = walkList(seeded(), "aggregates", { sortBy: "last_modified", direction: "asc" });
    assert.ok(item.includes('"content":{"a":9007199254740993,"b":1.50}'));
  });
});

describe("account files", () => {
  it("lists the files of STORE messages with totals over the address, in both forms of time", () => {
    const seed = new SeedDatabase();
    const stores: Seeded[] = [];
    for (let at = 0; at < 5; at += 1) {
      const message = seed.message({ type: "STORE" });
      stores.push(message);
      const fileId = seedFile(seed, {
        fileHash: sha256(`file ${at}`),
        sizeBytes: 10,
        type: at === 4 ? "dir" : "file",
      });
      const createdMicros = BASE + BigInt(Math.floor(at / 2)) * 1_000_000n;
      seedPin(seed, { fileId, kind: "message", message, owner: "0xA", createdMicros, sizeBytes: 10 });
      seedPin(seed, { fileId, kind: "content", message, owner: "0xA", createdMicros });
    }
    const reads = createListReads(seed.connection);
    const query = { address: "0xA", direction: "desc", createdAs: "iso" } as const;
    const page = reads.lists.accountFiles.page(query, { page: 1, pageSize: 3 }, UNLIMITED);
    assert.deepEqual([page.items.length, page.total, reads.accountFilesSize("0xA")], [3, 5, 50]);
    assert.deepEqual(JSON.parse(heldText(page.items[0])), {
      file_hash: sha256("file 4"),
      size: 10,
      type: "dir",
      created: "2023-11-14T22:13:22.000000Z",
      item_hash: stores[4]?.itemHash,
    });
    const all = walkList(reads, "accountFiles", { ...query, createdAs: "seconds" }, 2);
    assert.equal(new Set(hashesOf(all)).size, 5);
    assert.equal((JSON.parse(all[0] ?? "") as { created: number }).created, 1_700_000_002);
    assert.ok(all[0]?.includes('"created":1700000002.0,'));
    const one = { ...query, fileHash: sha256("file 2") };
    assert.deepEqual(hashesOf(walkList(reads, "accountFiles", one)), [stores[2]?.itemHash]);
    assert.deepEqual(
      reads.lists.accountFiles.page({ ...query, address: "0xNobody" }, first20, UNLIMITED).items,
      [],
    );
  });
});

describe("forgotten and removed lists", () => {
  const query = (
    filter: TerminatedQuery["filter"] = {},
    rest: Partial<TerminatedQuery> = {},
  ): TerminatedQuery => ({
    status: "forgotten",
    filter,
    direction: "desc",
    ...rest,
  });

  it("orders by the FORGET, ends amends with their original, and shows what is kept", () => {
    const seed = new SeedDatabase();
    const forget = seed.message({ type: "FORGET" });
    const second = seed.message({ type: "FORGET" });
    const [a, b, amend, untimed] = ["a", "b", "amend", "untimed"].map(sha256) as [
      string,
      string,
      string,
      string,
    ];
    seedForgotten(seed, {
      itemHash: a,
      owner: "0xB",
      payment: "credit",
      forgottenMicros: BASE,
      forgottenBy: [forget],
    });
    seedForgotten(seed, { itemHash: b, forgottenMicros: BASE + 5n, forgottenBy: [second] });
    seedForgotten(seed, { itemHash: amend, forgottenMicros: null, parent: a });
    seedForgotten(seed, { itemHash: untimed, forgottenMicros: null });
    const reads = createListReads(seed.connection);
    const atBase = [a, amend].sort();
    assert.deepEqual(hashesOf(walkList(reads, "terminated", query(), 1)), [b, ...atBase, untimed]);
    assert.deepEqual(hashesOf(walkList(reads, "terminated", query({}, { direction: "asc" }), 1)), [
      ...atBase,
      b,
      untimed,
    ]);
    for (let page = 1; page <= 4; page += 1) {
      const { items, total } = reads.lists.terminated.page(query(), { page, pageSize: 1 }, UNLIMITED);
      assert.deepEqual(hashesOf(items), [[b, ...atBase, untimed][page - 1]]);
      assert.equal(total, 4);
    }
    const found = walkList(reads, "terminated", query({ itemHashes: [a, amend] })).map((item) =>
      JSON.parse(item),
    );
    assert.deepEqual(
      found.find((item: { item_hash: string }) => item.item_hash === a),
      {
        status: "forgotten",
        item_hash: a,
        sender: "0xA",
        chain: "ETH",
        signature: "0x1",
        type: "POST",
        item_type: "inline",
        time: 1_652_786_100,
        channel: "TEST",
        owner: "0xB",
        payment_type: "credit",
        size: 4_194_304,
        forgotten_at: 1_700_000_000,
        forgotten_by: [forget.itemHash],
      },
    );
    const child = found.find((item: { item_hash: string }) => item.item_hash === amend) as Record<
      string,
      unknown
    >;
    assert.deepEqual([child.forgotten_at, child.forgotten_by], [1_700_000_000, [forget.itemHash]]);
  });

  it("filters on the time of termination and on what is kept", () => {
    const seed = new SeedDatabase();
    const [a, b] = ["a", "b"].map(sha256) as [string, string];
    seedForgotten(seed, { itemHash: a, owner: "0xB", payment: "credit", forgottenMicros: BASE });
    seedForgotten(seed, { itemHash: b, forgottenMicros: BASE + 5n });
    const reads = createListReads(seed.connection);
    const cases: [TerminatedQuery["filter"], string[]][] = [
      [{ startMicros: BASE + 1n }, [b]],
      [{ endMicros: BASE + 5n }, [a]],
      [{ startMicros: 1_652_786_099_000_000n, endMicros: 1_652_786_101_000_000n }, []],
      [{ owners: ["0xB"] }, [a]],
      [{ senders: ["0xA"] }, [b, a]],
      [{ paymentTypes: ["credit"] }, [a]],
      [{ paymentTypes: ["hold"] }, [b]],
      [{ types: ["STORE"] }, []],
      [{ types: ["POST", "STORE"] }, [b, a]],
      [{ channels: ["NONE"] }, []],
      [{ itemHashes: [a] }, [a]],
    ];
    for (const [filter, expected] of cases) {
      const page = reads.lists.terminated.page(query(filter), first20, UNLIMITED);
      assert.deepEqual(hashesOf(page.items), expected, JSON.stringify(Object.keys(filter)));
      assert.equal(page.total, expected.length);
    }
  });

  it("shows removed messages with whatever fields their record has", () => {
    const seed = new SeedDatabase();
    const [old, recent, removing] = ["old", "recent", "removing"].map(sha256) as [string, string, string];
    const oldId = seed.item(old, "removed");
    seed.connection.run("INSERT INTO removed (id) VALUES (?)", oldId);
    seed.connection.run(
      "INSERT INTO removed (id, payment_id, size, removed_us) VALUES (?, ?, 154, ?)",
      seed.item(recent, "removed"),
      seed.label("credit"),
      BASE,
    );
    seed.item(removing, "removing");
    seed.count("status", STATUS_CODE.removed, -1, 2);
    const reads = createListReads(seed.connection);
    for (const direction of ["asc", "desc"] as const) {
      const items = walkList(reads, "terminated", query({}, { status: "removed", direction }), 1);
      assert.deepEqual(hashesOf(items), [recent, old]);
      assert.deepEqual(JSON.parse(heldText(items[1])), {
        status: "removed",
        item_hash: old,
        sender: null,
        chain: null,
        signature: null,
        type: null,
        item_type: null,
        time: null,
        channel: null,
        owner: null,
        payment_type: null,
        size: null,
        removed_at: null,
      });
    }
    const hold = query({ paymentTypes: ["hold"] }, { status: "removed" });
    assert.deepEqual(hashesOf(walkList(reads, "terminated", hold)), [old]);
  });
});

describe("hash list", () => {
  it("covers every status by reception, as texts or as objects", () => {
    const seed = new SeedDatabase();
    const stored = seed.message({ timeMicros: BASE });
    const hashes = ["x", "y", "z"].map(sha256) as [string, string, string];
    for (const [at, status] of (["pending", "rejected", "forgotten"] as const).entries()) {
      seed.item(hashes[at] ?? "", status, BASE + 10n + BigInt(at));
      seed.count("status", STATUS_CODE[status], -1);
    }
    const reads = createListReads(seed.connection);
    const found = (rest: object) =>
      walkList(reads, "hashes", { direction: "asc", hashOnly: true, ...rest }, 1).map(
        (item) => JSON.parse(item) as string,
      );
    assert.deepEqual(found({}), [stored.itemHash]);
    assert.deepEqual(found({ statuses: ["pending", "forgotten"] }), [hashes[0], hashes[2]]);
    const every = ["pending", "processed", "rejected", "forgotten", "removing", "removed"];
    assert.deepEqual(found({ statuses: every }), [stored.itemHash, ...hashes]);
    assert.deepEqual(
      found({ statuses: every, startMicros: BASE + 10n, endMicros: BASE + 12n }),
      hashes.slice(0, 2),
    );
    const query = { direction: "desc", hashOnly: false, statuses: ["rejected"] } as const;
    const page = reads.lists.hashes.page(query, { page: 1, pageSize: 1 }, UNLIMITED);
    assert.deepEqual(JSON.parse(heldText(page.items[0])), {
      item_hash: hashes[1],
      status: "rejected",
      reception_time: "2023-11-14T22:13:20.000011Z",
    });
    assert.equal(page.total, 1);
  });
});

describe("address stats", () => {
  it("sorts, searches and walks, each address once", () => {
    const seed = new SeedDatabase();
    seed.transaction(() => {
      for (let at = 0; at < 60; at += 1) {
        seed.message({ sender: `0xAB${at % 7}%_`, type: at % 2 === 0 ? "POST" : "V-PROGRAM" });
      }
      seed.message({ sender: "tz1other", status: "removing" });
    });
    const reads = createListReads(seed.connection);
    const query = { sortBy: "total", direction: "desc" } as const;
    const parse = (item: string) =>
      Object.entries(JSON.parse(`{${item}}`) as Record<string, { messages: number }>)[0];
    const items = walkList(reads, "addressStats", query, 2).map((item) => parse(item));
    const expected = [...items].sort((a, b) => {
      const [addressA = "", statsA] = a ?? [];
      const [addressB = "", statsB] = b ?? [];
      return (statsB?.messages ?? 0) - (statsA?.messages ?? 0) || (addressA < addressB ? -1 : 1);
    });
    assert.equal(items.length, 7);
    assert.deepEqual(items, expected);
    assert.deepEqual(Object.keys(items[0]?.[1] ?? {}), [
      "messages",
      "aggregate",
      "forget",
      "instance",
      "post",
      "program",
      "store",
    ]);
    const search = (contains: string) =>
      reads.lists.addressStats.page({ ...query, contains }, first20, UNLIMITED).total;
    assert.deepEqual(
      [search("xab3"), search("%_"), search("%"), search("0xab_%"), search("tz1")],
      [1, 7, 7, 0, 0],
    );
    assert.equal(search("x\0"), 0);
    const found = (sortBy: "total" | "post", direction: "asc" | "desc") =>
      walkList(reads, "addressStats", { sortBy, direction, contains: "XAB" }, 3).map(
        (item) => parse(item)?.[0],
      );
    const names = Array.from({ length: 7 }, (_, at) => `0xAB${at}%_`);
    // Sixty messages by seven senders in turn: the first four have nine, the others eight; every other is a POST.
    assert.deepEqual(found("total", "desc"), names);
    assert.deepEqual(found("total", "asc"), [...names.slice(4), ...names.slice(0, 4)]);
    // The first and the third have five POSTs, the others four.
    const [first = "", , third = ""] = names;
    const others = names.filter((name) => name !== first && name !== third);
    assert.deepEqual(found("post", "asc"), [...others, first, third]);
    assert.deepEqual(found("post", "desc"), [first, third, ...others]);
    const byPost = reads.lists.addressStats.page(
      { sortBy: "post", direction: "asc" },
      { page: 2, pageSize: 3 },
      UNLIMITED,
    );
    assert.equal(byPost.items.length, 3);
  });
});
