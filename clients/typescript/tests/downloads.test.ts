import assert from "node:assert/strict";
import { test } from "node:test";

import { Code } from "@connectrpc/connect";

import { AcontextError, reasonOf } from "../src/errors.js";
import { DiskService } from "../src/gen/acontext/disk/v1/disk_service_pb.js";
import { DisksAPI } from "../src/resources/disks.js";
import { settingsOf } from "../src/settings.js";
import { away, refusal, serving } from "./serving.js";

const FILE = { filePath: "/", filename: "digits.txt" };
const BYTES = new TextEncoder().encode("0123456789");

/** Serve ten bytes in pieces of three, and let the stream break behind so many pieces. */
function breaking(behind: number, end = away, replaced = false) {
  const opened: [number, number | undefined][] = [];
  const settings = settingsOf({ baseUrl: "http://nowhere", apiKey: "sk-ac-test", retries: 2 });
  const api = serving((router) =>
    router.service(DiskService, {
      getArtifact: () => ({
        artifact: {
          meta: { __artifact_info__: { size: BYTES.length } },
          updatedAt: { seconds: BigInt(replaced ? opened.length : 0) },
        },
      }),
      async *downloadArtifact({ offset = 0, length }) {
        opened.push([offset, length]);
        for (let piece = 0; piece < behind; piece++) {
          const from = offset + piece * 3;
          const until = Math.min(from + 3, offset + (length ?? BYTES.length));
          if (from < until) yield { content: { data: BYTES.slice(from, until) } };
        }
        throw end();
      },
    }),
  );
  return { opened, artifacts: new DisksAPI(api, settings).artifacts };
}

async function text(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  const read: string[] = [];
  for await (const piece of pieces) read.push(new TextDecoder().decode(piece));
  return read.join("");
}

test("a download goes on behind its last byte, and ends with the file", async () => {
  const { opened, artifacts } = breaking(2);
  assert.equal(await text(artifacts.download("disk", FILE)), "0123456789");
  assert.deepEqual(opened, [
    [0, undefined],
    [6, undefined],
  ]);
});

test("a range goes on to its own end", async () => {
  const { opened, artifacts } = breaking(1);
  assert.equal(await text(artifacts.download("disk", { ...FILE, offset: 2, length: 5 })), "23456");
  assert.deepEqual(opened, [
    [2, 5],
    [5, 2],
  ]);
});

test("what was replaced meanwhile is not patched together", async () => {
  const { artifacts } = breaking(1, away, true);
  await assert.rejects(text(artifacts.download("disk", FILE)), AcontextError);
});

test("a refused download is not tried again", async () => {
  const gone = () => refusal(Code.NotFound, "ARTIFACT_NOT_FOUND");
  const { opened, artifacts } = breaking(0, gone);
  await assert.rejects(
    text(artifacts.download("disk", FILE)),
    (error) => reasonOf(error) === "ARTIFACT_NOT_FOUND",
  );
  assert.equal(opened.length, 1);
});
