// A disk as an agent's file system.

import type { AcontextClient } from "../client.js";
import type { FreeJson } from "../models.js";
import { AbstractBaseTool, type BaseContext, BaseToolPool } from "./tools.js";

/** The disk that the tools act on. */
export interface DiskContext extends BaseContext {
  client: AcontextClient;
  diskId: string;
}

const DIRECTORY = {
  type: "string",
  description: "The folder, such as '/notes/'. Without it: the root, '/'.",
};
const FILENAME = { type: "string", description: "Name of the file, such as 'plan.md'." };
const QUERY_LIMIT = { type: "integer", description: "How many at most. Without it: 100." };

/** Writes a file. */
export class WriteFileTool extends AbstractBaseTool {
  readonly name = "write_file";
  readonly description = "Write a text file. An existing file of that name is replaced.";
  readonly arguments = {
    file_path: DIRECTORY,
    filename: FILENAME,
    content: { type: "string", description: "The whole text of the file." },
  };
  readonly requiredArguments = ["filename", "content"];

  async execute(context: DiskContext, given: FreeJson): Promise<string> {
    const written = await write(context, fileOf(given), text(given, "content"));
    return `wrote ${written.path}${written.filename}`;
  }
}

/** Reads a stretch of a file. */
export class ReadFileTool extends AbstractBaseTool {
  readonly name = "read_file";
  readonly description = "Read a text file, or some of its lines.";
  readonly arguments = {
    file_path: DIRECTORY,
    filename: FILENAME,
    line_offset: { type: "integer", description: "Lines to skip. Without it: 0." },
    line_limit: { type: "integer", description: "How many lines at most. Without it: 100." },
  };
  readonly requiredArguments = ["filename"];

  async execute(context: DiskContext, given: FreeJson): Promise<string> {
    const file = fileOf(given);
    const lines = (await read(context, file)).split("\n");
    const first = Math.min(count(given, "line_offset", 0), lines.length);
    const shown = lines.slice(first, first + count(given, "line_limit", 100));
    const place = `${file.filePath}${file.filename}`;
    const head = `[${place}: lines ${first + 1} to ${first + shown.length} of ${lines.length}]`;
    return [head, ...shown].join("\n");
  }
}

/** Changes a file. */
export class ReplaceStringTool extends AbstractBaseTool {
  readonly name = "replace_string";
  readonly description = "Replace a text wherever it stands in a file.";
  readonly arguments = {
    file_path: DIRECTORY,
    filename: FILENAME,
    old_string: { type: "string", description: "The text as it stands in the file." },
    new_string: { type: "string", description: "The text to put there." },
  };
  readonly requiredArguments = ["filename", "old_string", "new_string"];

  async execute(context: DiskContext, given: FreeJson): Promise<string> {
    const file = fileOf(given);
    const pieces = (await read(context, file)).split(text(given, "old_string"));
    const place = `${file.filePath}${file.filename}`;
    if (pieces.length === 1) return `nothing replaced: the text is not in ${place}`;
    await write(context, file, pieces.join(text(given, "new_string", true)));
    return `replaced it ${pieces.length - 1} times in ${place}`;
  }
}

/** Lists a folder. */
export class ListTool extends AbstractBaseTool {
  readonly name = "list_artifacts";
  readonly description = "List the files and folders in a folder.";
  readonly arguments = { file_path: DIRECTORY };
  readonly requiredArguments: string[] = [];

  async execute({ client, diskId }: DiskContext, given: FreeJson): Promise<string> {
    const path = directoryOf(given);
    const { artifacts, directories } = await client.disks.artifacts.list(diskId, { path });
    const files = artifacts.map((one) => one.filename).join(", ") || "none";
    return `[${path}]\nfolders: ${directories.join(", ") || "none"}\nfiles: ${files}`;
  }
}

/** Makes a file available to a person. */
export class DownloadFileTool extends AbstractBaseTool {
  readonly name = "download_file";
  readonly description = "Get a public URL of a file, which a person can open.";
  readonly arguments = {
    file_path: DIRECTORY,
    filename: FILENAME,
    expire: { type: "integer", description: "Seconds for which it opens. Without it: 3600." },
  };
  readonly requiredArguments = ["filename"];

  async execute({ client, diskId }: DiskContext, given: FreeJson): Promise<string> {
    const expire = count(given, "expire", 3600);
    const options = { ...fileOf(given), withContent: false, expire };
    const { public_url } = await client.disks.artifacts.get(diskId, options);
    return `opens for ${expire} s: ${public_url}`;
  }
}

/** Finds files by their text. */
export class GrepArtifactsTool extends AbstractBaseTool {
  readonly name = "grep_artifacts";
  readonly description = "Find files whose text matches a regular expression.";
  readonly arguments = {
    query: { type: "string", description: "A regular expression, case-sensitive." },
    limit: QUERY_LIMIT,
  };
  readonly requiredArguments = ["query"];

  async execute({ client, diskId }: DiskContext, given: FreeJson): Promise<string> {
    const query = { query: text(given, "query"), limit: count(given, "limit", 100) };
    return paths(await client.disks.artifacts.grepArtifacts(diskId, query));
  }
}

/** Finds files by their path. */
export class GlobArtifactsTool extends AbstractBaseTool {
  readonly name = "glob_artifacts";
  readonly description = "Find files by their path.";
  readonly arguments = {
    query: { type: "string", description: "A pattern such as '/notes/*.md'." },
    limit: QUERY_LIMIT,
  };
  readonly requiredArguments = ["query"];

  async execute({ client, diskId }: DiskContext, given: FreeJson): Promise<string> {
    const query = { query: text(given, "query"), limit: count(given, "limit", 100) };
    return paths(await client.disks.artifacts.globArtifacts(diskId, query));
  }
}

/** The tools of a disk. */
export class DiskToolPool extends BaseToolPool {
  formatContext(client: AcontextClient, diskId: string): DiskContext {
    return { client, diskId };
  }
}

export const DISK_TOOLS = new DiskToolPool();
for (const tool of [
  new WriteFileTool(),
  new ReadFileTool(),
  new ReplaceStringTool(),
  new ListTool(),
  new DownloadFileTool(),
  new GrepArtifactsTool(),
  new GlobArtifactsTool(),
]) {
  DISK_TOOLS.addTool(tool);
}

interface File {
  filePath: string;
  filename: string;
}

function fileOf(given: FreeJson): File {
  return { filePath: directoryOf(given), filename: text(given, "filename") };
}

function directoryOf(given: FreeJson): string {
  const named = typeof given["file_path"] === "string" ? given["file_path"] : "";
  const inner = named.replace(/^\/+|\/+$/g, "");
  return inner === "" ? "/" : `/${inner}/`;
}

function text(given: FreeJson, name: string, mayBeEmpty = false): string {
  const value = given[name];
  if (typeof value === "string" && (mayBeEmpty || value !== "")) return value;
  throw new Error(`${name} is required`);
}

function count(given: FreeJson, name: string, otherwise: number): number {
  const value = given[name];
  return typeof value === "number" && value >= 0 ? value : otherwise;
}

function paths(found: readonly { path: string; filename: string }[]): string {
  return found.map(({ path, filename }) => `${path}${filename}`).join("\n") || "no file matches";
}

async function read({ client, diskId }: DiskContext, file: File): Promise<string> {
  const options = { ...file, withPublicUrl: false, withContent: true };
  const { content } = await client.disks.artifacts.get(diskId, options);
  if (!content) throw new Error(`${file.filePath}${file.filename} has no text`);
  return content.raw;
}

function write({ client, diskId }: DiskContext, { filePath, filename }: File, content: string) {
  const bytes = new TextEncoder().encode(content);
  return client.disks.artifacts.upsert(diskId, { file: [filename, bytes, "text/plain"], filePath });
}
