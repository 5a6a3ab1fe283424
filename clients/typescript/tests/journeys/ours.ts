// Every public method that only our client has.

import { AcontextClient, APIError, createAcontext, reasonOf } from "@acontext/acontext";

import { all, equal, eventually, holds, refused } from "./checking.js";
import { lesson } from "./shared.js";

/** Go through what the typed API has beyond the published SDKs. */
export async function ours(client: AcontextClient, operator: AcontextClient): Promise<void> {
  await lists(client);
  await messages(client);
  await watches(client);
  await disks(client);
  await skills(client);
  await users(client);
  await projects(client, operator);
  await errors(client);
}

async function lists(client: AcontextClient): Promise<void> {
  const user = "ann@example.org/é +";
  const made: string[] = [];
  for (const topic of ["a", "b", "c"]) {
    made.push((await client.sessions.create({ user, configs: { topic } })).id);
  }
  const found = await all(client.sessions.listAll({ user, limit: 2 }));
  equal(
    found.map((one) => one.id),
    made,
    "the user's sessions",
  );
  const filtered = await client.sessions.list({ filterByConfigs: { topic: "b" } });
  equal(
    filtered.items.map((one) => one.id),
    made.slice(1, 2),
  );
  equal((await client.sessions.get(made[0] ?? "")).configs, { topic: "a" });
  const [state] = await client.sessions.getStates([made[0] ?? ""]);
  equal([state?.session_id, state?.messages], [made[0], 0]);
  equal((await client.sessions.list({ user, observing: "pending" })).items, []);
  const begun = found.slice(0, 1);
  equal((await client.sessions.list({ search: made[0] ?? "" })).items, begun, "by its id");
  equal(await all(client.sessions.listAll({ search: "ann@", limit: 2 })), found, "by the user");
  await client.sessions.storeMessage(made[0] ?? "", { role: "user", content: "Hello." });
  const now = Date.now();
  const [hourAgo, inAnHour] = [new Date(now - 3_600_000), new Date(now + 3_600_000)];
  const lately = { user, storedAfter: hourAgo, storedBefore: inAnHour };
  const talked = await client.sessions.listWithStates(lately);
  equal(
    talked.items.map((one) => [one.session, one.state.session_id, one.state.messages]),
    [[begun[0], made[0], 1]],
    "the session with its state",
  );
  const states = await all(client.sessions.listAllWithStates({ user, limit: 2 }));
  equal(
    states.map((one) => [one.session, one.state.messages]),
    found.map((one, at) => [one, at === 0 ? 1 : 0]),
    "all sessions with their states",
  );
  equal((await client.sessions.list({ user, storedAfter: inAnHour })).items, []);
  equal((await client.sessions.list({ user, storedBefore: hourAgo })).items, []);
  holds((await client.sessions.getStatistics()).sessions >= 3, "sessions are counted");
  const disk = await client.disks.create({ user });
  equal(await all(client.disks.listAll({ user })), [disk]);
  const space = await client.spaces.create({ user });
  equal(await all(client.spaces.listAll({ user })), [space]);
  equal(await client.spaces.get(space.id), space);
}

async function messages(client: AcontextClient): Promise<void> {
  const { id } = await client.sessions.create();
  const said = ["one", "two", "three"].map((content) => ({ role: "user", content }));
  const stored = await client.sessions.storeMessages(id, said);
  equal(
    stored.map((one) => one.sequence),
    [1, 2, 3],
  );
  equal(await all(client.sessions.listAllMessages(id, { limit: 2 })), said);
  const exchanged = await client.sessions.exchange(id, (exchange) => {
    exchange.add({ role: "user", content: "four" }, { role: "assistant", content: "five" });
  });
  equal(
    exchanged.map((one) => one.sequence),
    [4, 5],
  );
  const broken = client.sessions.exchange(id, (exchange) => {
    exchange.add({ role: "user", content: "six" });
    throw new Error("the model is away");
  });
  equal(await broken.catch((error: Error) => error.message), "the model is away");
  equal((await client.sessions.getMessages(id)).ids.length, 5);
  const context = await client.sessions.getContext(id, { tokenBudget: 1000 });
  equal([context.items.slice(0, 3), context.ids.length], [said, 5]);
  const requestId = "0198c0de-0000-4000-8000-000000000001";
  const twice = { role: "user", content: "once" };
  const first = await client.sessions.sendMessage(id, twice, {}, { requestId });
  const again = await client.sessions.sendMessage(id, twice, {}, { requestId });
  equal(again.id, first.id, "the repeated message");
  equal(await client.sessions.retryFailedMessages(id), 0);
}

async function watches(client: AcontextClient): Promise<void> {
  const { id } = await client.sessions.create();
  const messages = client.sessions.watch(id);
  const changes = client.tasks.watch({ sessionId: id, cursor: "" });
  await client.sessions.storeMessages(id, lesson("contact"));
  const sequences: number[] = [];
  for await (const { sequence } of messages) {
    sequences.push(sequence);
    if (sequence === lesson("contact").length) break;
  }
  equal(
    sequences,
    lesson("contact").map((_, at) => at + 1),
    "the watched messages",
  );
  equal((await client.sessions.flush(id)).status, 200);
  let last = "";
  for await (const { task, cursor, removed } of changes) {
    equal([task.session_id, removed, cursor !== ""], [id, false, true]);
    last = task.id;
    if (task.status === "success") break;
  }
  const { task, messages: from } = await client.tasks.get(last);
  holds(from.length > 2, "a task knows its messages");
  equal(await all(client.sessions.listAllTasks(id)), [task]);
  const summary = await client.sessions.getSessionSummary(id, { limit: 1 });
  holds(summary.startsWith(`<task id="1" description="${task.data.task_description}">`), summary);
  const outcome = { status: "failed", reason: "the page is broken again" } as const;
  const failed = await client.tasks.setOutcome(task.id, outcome);
  equal([failed.status, failed.outcome_by], ["failed", "set"]);
  equal((await client.tasks.list({ status: "failed" })).items, [failed]);
  const later = new Date(Date.now() + 3_600_000);
  const everyTask = await all(client.tasks.listAll({ seenBefore: later, limit: 1 }));
  equal(everyTask.at(-1), failed, "the newest task of the project");
  equal((await client.tasks.list({ seenAfter: later })).items, []);
  const anew = await client.sessions.reobserve(id, { dryRun: true });
  equal(anew.generation, 1);
  const { days } = await client.tasks.getStatistics({ days: 1, timeZone: "Europe/Madrid" });
  equal(days.length, 1);
  const runs = await all(client.runs.listAll({ sessionId: id, limit: 1 }));
  holds(runs[0], "observing left a run");
  equal(await client.runs.get(runs[0].id), runs[0]);
  const good = await client.runs.list({ sessionId: id, outcome: "success", timeDesc: true });
  equal(good.items, runs.toReversed());
}

async function disks(client: AcontextClient): Promise<void> {
  const { artifacts } = client.disks;
  const disk = (await client.disks.create()).id;
  const megabytes = new Uint8Array(17 << 20).map((_, at) => at % 251); // a form has 16 at first
  await artifacts.upsert(disk, { file: ["big.bin", megabytes], filePath: "/data/" });
  const big = { filePath: "/data/", filename: "big.bin" };
  const pieces = await all(artifacts.download(disk, big));
  holds(pieces.length > 1, "a big file comes in pieces");
  const whole = new Uint8Array(await new Blob(pieces as BlobPart[]).arrayBuffer());
  holds(
    whole.length === megabytes.length && whole.every((byte, at) => byte === at % 251),
    "every byte is there",
  );
  const part = await all(artifacts.download(disk, { ...big, offset: 250, length: 3 }));
  equal(Array.from(part[0] ?? []), [250, 0, 1], "three bytes of the middle");
  const received: BlobPart[] = [];
  const target = new WritableStream<Uint8Array>({
    write: (piece) => void received.push(piece as Uint8Array<ArrayBuffer>),
  });
  equal(await artifacts.downloadTo(disk, { ...big, target }), megabytes.length);
  equal(new Blob(received).size, megabytes.length, "what was written");
  holds((await client.disks.getStatistics()).bytes >= megabytes.length, "bytes are counted");
  const note = new Blob(["TODO: buy y"]);
  await artifacts.upsert(disk, { file: ["note.md", note], filePath: "/notes/" });
  equal((await artifacts.grepArtifacts(disk, { query: "TODO: \\w+" }))[0]?.filename, "note.md");
  equal((await artifacts.globArtifacts(disk, { query: "/notes/*.md", limit: 5 })).length, 1);
  const tools = client.tools.disk(disk);
  equal([...tools].length, tools.names.length);
  const read = await tools.call("read_file", '{"file_path": "/notes/", "filename": "note.md"}');
  equal(read.split("\n")[1], "TODO: buy y");
  const missing = await tools.call("read_file", { filename: "none.md" });
  holds(missing.startsWith("That did not work: "), "the model is told what went wrong");
  holds((await tools.call("fly", {})).startsWith("There is no tool fly"), "and what there is not");
}

async function skills(client: AcontextClient): Promise<void> {
  const space = (await client.spaces.create()).id;
  const { id } = await client.sessions.create({ spaceId: space });
  await client.sessions.storeMessages(id, lesson("checkout"));
  equal((await client.sessions.flush(id)).status, 200);
  const learned = await eventually("a skill is learned", async () => {
    return (await client.spaces.skills.list(space, { limit: 5 })).items[0];
  });
  equal(await all(client.spaces.skills.listAll(space)), [learned]);
  const next = (await client.sessions.create()).id;
  const prompt = await eventually("the skill is found", async () => {
    const query = "fix the checkout page";
    const found = await client.spaces.skillsPrompt(space, query, { sessionId: next });
    return found === "" ? undefined : found;
  });
  holds(prompt.includes(`| Use when: ${learned.sop.use_when}`), "the prompt has the skill");

  const { cited_blocks } = await client.spaces.skills.search(space, "fix the checkout page", {
    limit: 1,
    sessionId: next,
  });
  equal(cited_blocks[0]?.block_id, learned.id);
  const tools = client.tools.skills(space, { sessionId: next });
  equal(await tools.call("search_skills", { query: "fix the checkout page" }), prompt);

  const calibrated = await client.spaces.getSearchThreshold(space);
  holds(calibrated.threshold > 0 && calibrated.set_by === "embedder", "a calibrated threshold");
  await client.spaces.updateConfigs(space, { configs: { learning: { search_threshold: 0.25 } } });
  const own = { threshold: 0.25, crowding: 0, set_by: "space" };
  equal(await client.spaces.getSearchThreshold(space), own);

  const edited = { preferences: "write the tests first" };
  const changed = await client.spaces.skills.update(learned.id, { sop: edited });
  equal([changed.version, changed.sop.use_when], [2, learned.sop.use_when]);
  const back = await client.spaces.skills.rollback(learned.id, { version: 1 });
  equal([back.version, back.sop], [3, learned.sop]);
  const history = await client.spaces.skills.get(learned.id);
  equal(
    history.versions.map((one) => one.version),
    [3, 2, 1],
  );
  equal(history.versions[2]?.sources[0]?.session_id, id, "where it came from");
  equal(history.exposures[0]?.session_id, next, "where it was served");
  const served = await client.spaces.skills.listUses({ kind: "served" });
  equal(served.items[0]?.session_id, next, "where it was used");
  const soon = new Date(Date.now() + 3_600_000);
  const uses = await all(client.spaces.skills.listAllUses({ usedBefore: soon, limit: 2 }));
  equal(
    uses
      .filter((use) => use.skill_id === learned.id && use.kind !== "served")
      .map((use) => use.version),
    [1, 2, 3],
    "the versions of the skill",
  );
  equal((await client.spaces.skills.listUses({ usedAfter: soon })).items, []);
  const files = await all(client.spaces.export(space));
  holds(files[0]?.path.endsWith("SKILL.md"), "an export has a file");
  equal((await client.spaces.skills.archive(learned.id)).archived, true);
  equal((await client.spaces.skills.list(space)).items, []);
  const { items } = await client.runs.listLearning({ spaceId: space, sessionId: id });
  holds(items[0], "learning left a run");
  equal(await client.runs.getLearning(items[0].id), items[0]);
  equal(await client.spaces.skills.retryFailedLearning(space, { sessionId: id }), 0);
  const counted = await client.spaces.skills.getStatistics({ days: 1 });
  equal([counted.days.length, counted.archived], [1, 1]);
  equal((await client.runs.getTokenUse()).paused, false);
}

async function users(client: AcontextClient): Promise<void> {
  const user = "ann@example.org/é +";
  const everybody = await all(client.users.listAll());
  equal(
    everybody.map((one) => one.identifier),
    [user],
  );
  equal((await client.users.list({ limit: 1 })).items, everybody);
  const { counts } = await client.users.getResources(user);
  equal([counts.sessions_count, counts.disks_count, counts.spaces_count], [3, 1, 1]);
  await client.users.delete(user);
  await refused(404, client.users.getResources(user));
}

async function projects(client: AcontextClient, operator: AcontextClient): Promise<void> {
  const project = await client.projects.get();
  equal((await client.projects.rename({ name: "renamed" })).name, "renamed");
  equal((await operator.projects.get({ projectId: project.id })).name, "renamed");
  const rule = { text: "it touches money", weight: "critical" };
  const changes = { buffer_turns: 4, difficulty_rules: [rule], models: { observer: "small" } };
  const changed = await client.projects.updateSettings(changes);
  equal([changed.buffer_turns, changed.difficulty_rules], [4, [rule]]);
  equal(await client.projects.getSettings(), changed);
  const cleared = await client.projects.updateSettings({ buffer_turns: null, models: {} });
  equal([cleared.buffer_turns ?? null, cleared.models], [null, {}]);

  const { key, secret } = await client.keys.create();
  const { baseUrl } = client;
  equal(await new AcontextClient({ baseUrl, apiKey: secret }).ping(), "pong");
  const rotated = await client.keys.rotate(key.id, { overlapSeconds: 60 });
  const ids = (await client.keys.list()).map((one) => one.id);
  holds(ids.includes(key.id) && ids.includes(rotated.key.id), "both keys work for a minute");
  await client.keys.revoke(key.id);

  const { healthy, services } = await operator.health();
  equal([healthy, services.length], [true, 4], "the health");
  const other = await operator.projects.create({ name: "short-lived" });
  holds(other.secret, "a new project has a key");
  holds((await operator.projects.list({ limit: 200 })).items.length > 1, "there are projects");
  const everyone = (await all(operator.projects.listAll())).map((one) => one.id);
  holds(everyone.includes(other.project.id), "all projects are listed");
  equal((await operator.projects.delete(other.project.id)).waiting_for, []);
}

async function errors(client: AcontextClient): Promise<void> {
  const nobody = "0198c0de-0000-7000-8000-000000000000";
  const unknown = await refused(404, client.sessions.get(nobody));
  holds(unknown instanceof APIError && unknown.reason === "SESSION_NOT_FOUND", "a reason");
  equal(unknown.metadata, { session_id: nobody });
  const broken = await refused(400, client.disks.list({ limit: 0 }));
  holds(broken instanceof APIError && broken.fields[0]?.field === "limit", "a field");
  const stranger = new AcontextClient({ baseUrl: client.baseUrl, apiKey: "sk-ac-nobody" });
  equal(reasonOf(await refused(401, stranger.ping())), "UNAUTHENTICATED");
  equal(reasonOf(await refused(403, client.projects.list())), "PERMISSION_DENIED");
  const typed = createAcontext({ baseUrl: client.baseUrl, apiKey: "sk-ac-nobody" });
  equal(reasonOf(await refused(401, typed.sessions.listSessions({}))), "UNAUTHENTICATED");
}
