// Every public method of the published SDK 0.0.16; the same program runs with that one and with ours.

import type { AcontextClient } from "@acontext/acontext";

import { equal, eventually, holds, pages, refused } from "./checking.js";

type Sdk = typeof import("@acontext/acontext");

/** Go through everything that both SDKs have, in a project of the journey's own. */
export async function shared(sdk: Sdk, client: AcontextClient): Promise<void> {
  equal(await client.ping(), "pong");
  await sessions(sdk, client);
  await messages(sdk, client);
  await disks(sdk, client);
  await diskTools(sdk, client);
  await blocks(client);
  await learning(client);
}

async function sessions(sdk: Sdk, client: AcontextClient): Promise<void> {
  const space = await client.spaces.create({ configs: { topic: "trips" } });
  equal(space.configs, { topic: "trips" });
  const bare = await client.sessions.create();
  equal([bare.space_id, bare.configs, bare.disable_task_tracking], [null, {}, false]);
  const configs = { space_id: "", "a b": [1, 2.5, true, null, { ü: "null" }], progresses: [] };
  const full = await client.sessions.create({
    spaceId: space.id,
    disableTaskTracking: true,
    configs,
  });
  equal([full.space_id, full.disable_task_tracking], [space.id, true]);
  equal((await client.sessions.getConfigs(full.id)).configs, full.configs);

  const ids = (found: { id: string }[]) => found.map((one) => one.id);
  const oldest = await pages((page) => client.sessions.list({ limit: 1, ...page }));
  equal(ids(oldest), [bare.id, full.id], "all sessions");
  const newest = await client.sessions.list({ limit: 200, timeDesc: true });
  equal(ids(newest.items), [full.id, bare.id], "the newest first");
  equal(ids((await client.sessions.list({ spaceId: space.id })).items), [full.id]);
  equal(ids((await client.sessions.list({ notConnected: true })).items), [bare.id]);

  await client.sessions.updateConfigs(bare.id, { configs: { b: {} } });
  equal((await client.sessions.getConfigs(bare.id)).configs, { b: {} });
  await client.sessions.connectToSpace(bare.id, { spaceId: space.id });
  equal((await client.sessions.getConfigs(bare.id)).space_id, space.id);
  await client.sessions.delete(bare.id);
  const error = await refused(404, client.sessions.getConfigs(bare.id));
  holds(error instanceof sdk.APIError && error.error === "SESSION_NOT_FOUND", "it has a reason");

  await client.spaces.updateConfigs(space.id, { configs: { x: 1 } });
  equal((await client.spaces.getConfigs(space.id)).configs, { x: 1 });
  equal(ids((await client.spaces.list({ limit: 5, timeDesc: true })).items), [space.id]);
  await client.spaces.delete(space.id);
  await refused(404, client.spaces.getConfigs(space.id));
}

const TALK = [
  { role: "system", content: "Be kind." },
  { role: "user", content: "Weather in Zürich?", name: "ann" },
  {
    role: "assistant",
    content: "Let me look.",
    tool_calls: [
      {
        id: "call_1",
        type: "function",
        function: { name: "weather", arguments: '{"city": "Zürich"}' },
      },
    ],
  },
  { role: "tool", tool_call_id: "call_1", content: "snow" },
  { role: "assistant", content: "Snow." },
];

async function messages(sdk: Sdk, client: AcontextClient): Promise<void> {
  const { id } = await client.sessions.create();
  const stored: string[] = [];
  for (const message of TALK) {
    const { id: messageId, parent_id } = await client.sessions.storeMessage(id, message);
    equal(parent_id, stored.at(-1) ?? null, "the message before");
    stored.push(messageId);
  }
  const read = await client.sessions.getMessages(id, { format: "openai", timeDesc: false });
  equal(read.items, TALK, "what was stored");
  equal([read.ids, read.has_more], [stored, false]);
  const newest = await client.sessions.getMessages(id, { limit: 2 });
  equal(newest.items, TALK.slice(-2), "the newest");
  const cursor = newest.next_cursor ?? "";
  const before = await client.sessions.getMessages(id, { cursor });
  equal(before.items, TALK.slice(0, -2), "those before");
  const edited = await client.sessions.getMessages(id, {
    editStrategies: [
      {
        type: "remove_tool_result",
        params: { keep_recent_n_tool_results: 0, tool_result_placeholder: "gone" },
      },
    ],
  });
  equal(edited.items[3], { role: "tool", tool_call_id: "call_1", content: "gone" });
  const { total_tokens } = await client.sessions.getTokenCounts(id);
  holds(total_tokens > 10, "tokens are counted");
  await otherForms(sdk, client, id);
}

async function otherForms(sdk: Sdk, client: AcontextClient, id: string): Promise<void> {
  const claude = { role: "user", content: [{ type: "text", text: "From Claude's side." }] };
  await client.sessions.storeMessage(id, claude, { format: "anthropic" });
  const said = await client.sessions.getMessages(id, { format: "anthropic", limit: 1 });
  equal(said.items, [claude]);
  const bytes = Buffer.from("a,b\n1,2\n");
  const file = new sdk.FileUpload({ filename: "table.csv", content: bytes });
  const parts = ["Look at this.", sdk.MessagePart.fileFieldPart("table")];
  const message = sdk.buildAcontextMessage({ role: "user", parts });
  const form = { format: "acontext", fileField: "table", file } as const;
  const stored = await client.sessions.storeMessage(id, message, form);
  equal([stored.parts[1]?.filename, stored.parts[1]?.asset?.size_b], ["table.csv", 8]);
  const options = { format: "acontext", limit: 1, withAssetPublicUrl: true } as const;
  const { public_urls } = await client.sessions.getMessages(id, options);
  const url = Object.values(public_urls ?? {})[0]?.url ?? "";
  equal(await (await fetch(url)).text(), "a,b\n1,2\n", "the uploaded file");
}

async function disks(sdk: Sdk, client: AcontextClient): Promise<void> {
  const disk = await client.disks.create();
  equal((await client.disks.list({ limit: 1, timeDesc: true })).items, [disk]);
  const todo = "# Todo\n\n- größer\n";
  const artifact = await client.disks.artifacts.upsert(disk.id, {
    file: new sdk.FileUpload({ filename: "todo.md", content: Buffer.from(todo) }),
    filePath: "/todo/",
    meta: { by: "ann" },
  });
  equal([artifact.path, artifact.filename, artifact.meta["by"]], ["/todo/", "todo.md", "ann"]);
  const name = { filePath: "/todo/", filename: "todo.md" };
  const got = await client.disks.artifacts.get(disk.id, {
    ...name,
    withPublicUrl: true,
    withContent: true,
    expire: 60,
  });
  equal(got.content, { type: "text", raw: todo });
  equal(await (await fetch(got.public_url ?? "")).text(), todo, "the file behind its URL");
  const updated = await client.disks.artifacts.update(disk.id, { ...name, meta: { by: "bob" } });
  equal(updated.artifact.meta["by"], "bob");
  await client.artifacts.upsert(disk.id, { file: ["top.txt", Buffer.from("x"), "text/plain"] });
  const root = await client.disks.artifacts.list(disk.id);
  equal([root.artifacts.length, root.directories], [1, ["todo"]]);
  const inner = await client.disks.artifacts.list(disk.id, { path: "/todo/" });
  equal(inner.artifacts, [updated.artifact]);
  await client.disks.artifacts.delete(disk.id, name);
  await refused(404, client.disks.artifacts.get(disk.id, name));
  await client.disks.delete(disk.id);
  await refused(404, client.disks.artifacts.list(disk.id));
}

async function diskTools({ DISK_TOOLS }: Sdk, client: AcontextClient): Promise<void> {
  const disk = await client.disks.create();
  const context = DISK_TOOLS.formatContext(client, disk.id);
  const use = (tool: string, given: Record<string, unknown>) =>
    DISK_TOOLS.executeTool(context, tool, given);
  const plan = { file_path: "notes", filename: "plan.md" };
  holds((await use("write_file", { ...plan, content: "one\ntwo\nthree" })).includes("plan.md"), "");
  const lines = await use("read_file", { ...plan, line_offset: 1, line_limit: 1 });
  equal(lines.split("\n")[1], "two");
  await use("replace_string", { ...plan, old_string: "two", new_string: "2" });
  holds((await use("read_file", plan)).includes("one\n2\nthree"), "it is replaced");
  holds((await use("list_artifacts", { file_path: "/notes/" })).includes("plan.md"), "listed");
  const told = await use("download_file", { ...plan, expire: 60 });
  const url = told.match(/https?:\S+/)?.[0] ?? "";
  equal(await (await fetch(url)).text(), "one\n2\nthree", "the file that a tool tells of");
}

async function blocks(client: AcontextClient): Promise<void> {
  const space = (await client.spaces.create()).id;
  const make = async (blockType: string, options: object = {}) =>
    (await client.blocks.create(space, { blockType, ...options })).id;
  const folder = await make("folder", { title: "My work" });
  const page = await make("page", { parentId: folder, title: "Auth" });
  const steps = [
    { tool_name: "Grep", action: "find the handler" },
    { tool_name: "edit_file", action: "change it" },
  ];
  const props = { preferences: "Use OAuth", tool_sops: steps };
  const sop = await make("sop", { parentId: page, title: "implement a login", props });
  const text = await make("text", { parentId: page, props: { notes: "x" } });

  equal((await client.blocks.list(space)).length, 1, "blocks at the root");
  equal((await client.blocks.list(space, { parentId: page, blockType: "text" }))[0]?.id, text);
  equal((await client.blocks.getProperties(space, folder)).props["path"], "My_work");
  await client.blocks.updateProperties(space, sop, { title: "implement a login page" });
  equal((await client.blocks.getProperties(space, sop)).title, "implement a login page");
  await client.blocks.updateSort(space, text, { sort: 0 });
  equal((await client.blocks.getProperties(space, sop)).sort, 1);
  await client.blocks.move(space, page, { sort: 0 });
  equal((await client.blocks.getProperties(space, page)).parent_id ?? null, null);
  await client.blocks.move(space, page, { parentId: folder });
  equal((await client.blocks.getProperties(space, page)).parent_id, folder);

  const query = "How do I implement a login page?";
  // The index follows blocks one by one: until it has the procedure, the text is all there is.
  await eventually("the procedure is found first", async () => {
    const options = { query, limit: 5, mode: "fast", semanticThreshold: 1 } as const;
    const [best] = (await client.spaces.experienceSearch(space, options)).cited_blocks;
    return best?.block_id === sop && best.type === "sop" ? best : undefined;
  });
  const agentic = { query, mode: "agentic", maxIterations: 3 } as const;
  await refused(400, client.spaces.experienceSearch(space, agentic));
  await toolNames(client);
  await client.blocks.delete(space, folder);
  await refused(404, client.blocks.getProperties(space, sop));
}

async function toolNames(client: AcontextClient): Promise<void> {
  const names = async () => (await client.tools.getToolName()).map((tool) => tool.name);
  holds((await names()).includes("Grep"), "the tool is known");
  const rename = [{ oldName: "Grep", newName: "ripgrep" }];
  equal(await client.tools.renameToolName({ rename }), { status: 200, errmsg: "" });
  holds((await names()).includes("ripgrep"), "it has its new name");
}

/** A conversation in which something is fixed with tools, to its user's content. */
export function lesson(what: string): object[] {
  const used = (name: string, at: number) => [
    {
      role: "assistant",
      content: null,
      tool_calls: [
        { id: `call_${at}`, type: "function", function: { name, arguments: `{"at": "${what}"}` } },
      ],
    },
    { role: "tool", tool_call_id: `call_${at}`, content: "ok" },
  ];
  return [
    { role: "user", content: `Please fix the ${what} page, and always write tests first.` },
    ...["search_code", "edit_file", "run_tests"].flatMap(used),
    { role: "assistant", content: `The ${what} page is fixed, all tests pass.` },
    { role: "user", content: "Thank you, that works perfectly." },
  ];
}

async function learning(client: AcontextClient): Promise<void> {
  const configs = { learning: { confirmation: true, minimum_difficulty: 0 } };
  const space = (await client.spaces.create({ configs })).id;
  const [saved, dropped] = [
    await taught(client, space, "login"),
    await taught(client, space, "billing"),
  ];
  equal(saved.experience_data["type"], "sop");
  equal(await client.spaces.confirmExperience(space, dropped.id, { save: false }), null);
  const confirmed = await client.spaces.confirmExperience(space, saved.id, { save: true });
  equal(confirmed?.id, saved.id);
  await refused(404, client.spaces.confirmExperience(space, saved.id, { save: true }));
  await eventually("the skill is learned", async () => (await client.blocks.list(space))[0]);
}

async function taught(client: AcontextClient, spaceId: string, what: string) {
  const known = await pages((page) => client.spaces.getUnconfirmedExperiences(spaceId, page));
  const { id } = await client.sessions.create({ spaceId });
  for (const message of lesson(what)) await client.sessions.storeMessage(id, message);
  equal((await client.sessions.flush(id)).status, 200);
  const { items } = await client.sessions.getTasks(id, { limit: 20, timeDesc: false });
  equal([items[0]?.status, items[0]?.order, items[0]?.is_planning], ["success", 1, false]);
  const seen = await client.sessions.messagesObservingStatus(id);
  equal([seen.observed, seen.in_process, seen.pending], [lesson(what).length, 0, 0]);
  const status = await client.sessions.getLearningStatus(id);
  equal(status.space_digested_count + status.not_space_digested_count, 1);
  return eventually("an experience waits", async () => {
    const options = { limit: 200, timeDesc: true };
    const { items } = await client.spaces.getUnconfirmedExperiences(spaceId, options);
    return items.length > known.length ? items[0] : undefined;
  });
}
