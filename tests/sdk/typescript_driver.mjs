// Drives the published TypeScript SDK from a pipe, as python_driver.py drives the Python ones.
import { createInterface } from "node:readline";
import { createRequire } from "node:module";

const sdk = createRequire(process.env.SDK_HOME + "/")("@acontext/acontext");
const marks = {
  $file: (name, content, contentType) =>
    new sdk.FileUpload({ filename: name, content: Buffer.from(content, "base64"), contentType }),
  $tuple: (name, content) => [name, Buffer.from(content, "base64")],
  $message: (role, parts, meta) => sdk.buildAcontextMessage({ role, parts, meta }),
  $completion: (fields) => fields,
};
const seen = [];

const send = globalThis.fetch;
globalThis.fetch = async (url, request) => {
  const response = await send(url, request);
  const { pathname, search } = new URL(url);
  seen.push({
    method: request.method,
    target: pathname + search,
    status: response.status,
    content_type: response.headers.get("content-type") ?? "",
    body: Buffer.from(await response.clone().arrayBuffer()).toString("base64"),
  });
  return response;
};

const isResource = (thing) => /API$/.test(thing?.constructor?.name ?? "");

// Lists public methods with the options that their source reads.
function methods(thing, prefix = "") {
  const found = {};
  for (const name of Object.getOwnPropertyNames(Object.getPrototypeOf(thing))) {
    const member = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(thing), name).value;
    if (name === "constructor" || typeof member !== "function") continue;
    const source = member.toString();
    const options = [...source.matchAll(/options\??\.(\w+)/g)].map((match) => match[1]);
    const positional = source.match(/\(([^)]*)\)/)[1].split(", ").filter((one) => one !== "options");
    found[prefix + name] = [...new Set([...positional.filter(Boolean), ...options])];
  }
  for (const [name, member] of Object.entries(thing)) {
    if (name !== "requester" && isResource(member)) {
      Object.assign(found, methods(member, `${prefix}${name}.`));
    }
  }
  return found;
}

function tools() {
  const found = {};
  for (const [name, tool] of sdk.DISK_TOOLS.tools) {
    found[`DISK_TOOLS.${name}`] = Object.keys(tool.arguments);
  }
  return found;
}

function decoded(value) {
  if (Array.isArray(value)) return value.map(decoded);
  if (value === null || typeof value !== "object") return value;
  const [mark, ...others] = Object.keys(value);
  if (mark in marks && others.length === 0) return marks[mark](...value[mark]);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, decoded(item)]));
}

function call(client, name, args) {
  const [pool, tool] = name.split(".");
  if (pool === "DISK_TOOLS") {
    const [diskId, given] = args;
    return sdk.DISK_TOOLS.executeTool(sdk.DISK_TOOLS.formatContext(client, diskId), tool, given);
  }
  const steps = name.split(".");
  const method = steps.pop();
  const owner = steps.reduce((thing, step) => thing[step], client);
  return owner[method](...args);
}

function told(error) {
  if (error instanceof sdk.APIError) {
    const { statusCode, code, message, error: reason } = error;
    return { type: "APIError", status_code: statusCode, code, message, error: reason };
  }
  return { type: error.constructor.name, text: String(error.message) };
}

async function answer(client, order) {
  seen.length = 0;
  try {
    const value = await call(client, order.call, decoded(order.arguments));
    return { exchanges: seen, value: value === undefined ? null : value };
  } catch (error) {
    return { exchanges: seen, raised: told(error) };
  }
}

let client = new sdk.AcontextClient();
for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line);
  if (order.call === "enter") {
    client = new sdk.AcontextClient({ apiKey: order.arguments[0] });
  } else if (order.call === "methods") {
    console.log(JSON.stringify({ value: { ...methods(client), ...tools() } }));
  } else {
    console.log(JSON.stringify(await answer(client, order)));
  }
}
