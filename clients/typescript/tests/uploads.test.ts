import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { test } from "node:test";

import { APIError, reasonOf, TransportError } from "../src/errors.js";
import { settingsOf } from "../src/settings.js";
import { blobOf, FileUpload, Forms, type Upload } from "../src/uploads.js";

test("a file comes as bytes, as a blob, or piece by piece", async () => {
  const content = async (upload: Upload) => {
    const { filename, blob } = await blobOf(upload);
    return [filename, blob.type, await blob.text()];
  };
  assert.deepEqual(await content(["a", Buffer.from("bytes"), "text/css"]), [
    "a",
    "text/css",
    "bytes",
  ]);
  assert.deepEqual(await content(["b", new Blob(["blob"])]), [
    "b",
    "application/octet-stream",
    "blob",
  ]);
  const stream = new FileUpload({ filename: "c", content: Readable.from(["stre", "am"]) });
  assert.deepEqual(await content(stream), ["c", "application/octet-stream", "stream"]);
});

/** Serve these answers in turn, and give what was asked. */
async function posting(answers: [number, object][], use: (forms: Forms) => Promise<void>) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.authorization}`);
    const [status, answer] = answers.shift() ?? [500, { msg: "the script is at its end" }];
    request.resume().on("end", () => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1/`;
  try {
    await use(new Forms(settingsOf({ baseUrl, apiKey: "sk-ac-test", retries: 1 })));
  } finally {
    server.close();
  }
  return asked;
}

test("an upload is tried again while nobody answers", async () => {
  const answers: [number, object][] = [
    [503, { code: 503, msg: "away" }],
    [200, { code: 0, data: { path: "/" } }],
  ];
  const asked = await posting(answers, async (forms) => {
    assert.deepEqual(await forms.post("/disk/1/artifact", new FormData(), 0), { path: "/" });
  });
  assert.deepEqual(asked, Array(2).fill("POST /api/v1/disk/1/artifact Bearer sk-ac-test"));
});

test("a refused upload is told as any other refusal, and not repeated", async () => {
  const answer = { code: 413, msg: "too large", error: "TOO_LARGE" };
  const asked = await posting([[413, answer]], async (forms) => {
    const error = await forms.post("/disk/1/artifact", new FormData(), 0).catch((thrown) => thrown);
    assert.ok(error instanceof APIError);
    assert.deepEqual(
      [error.statusCode, reasonOf(error), error.message],
      [413, "TOO_LARGE", "too large"],
    );
  });
  assert.equal(asked.length, 1);
});

test("without a server an upload has no answer", async () => {
  const settings = settingsOf({ baseUrl: "http://127.0.0.1:1", apiKey: "sk-ac-x", retries: 0 });
  await assert.rejects(
    new Forms(settings).post("/disk/1/artifact", new FormData(), 0),
    TransportError,
  );
});
