// What the journeys check with, in Node and in browsers alike.

/** Fail unless two values are the same as JSON, whatever the order of their keys. */
export function equal(found: unknown, wanted: unknown, what = "the answer"): void {
  const [left, right] = [asText(found), asText(wanted)];
  if (left !== right) throw new Error(`${what} is ${left}, not ${right}`);
}

function asText(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) =>
    typeof item === "object" && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([one], [other]) => (one < other ? -1 : 1)))
      : item,
  );
}

/** Fail unless it holds. */
export function holds(truth: unknown, what: string): asserts truth {
  if (!truth) throw new Error(`not so: ${what}`);
}

/** Fail unless a call is refused with this HTTP status, and give the error. */
export async function refused(status: number, call: Promise<unknown>): Promise<object> {
  const error = await call.then(
    () => ({ statusCode: "none: it succeeded" }),
    (thrown: unknown) => thrown as object,
  );
  equal("statusCode" in error && error.statusCode, status, `the status of ${String(error)}`);
  return error;
}

/** Ask until the answer is there, or fail after half a minute. */
export async function eventually<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  for (const deadline = Date.now() + 30_000; ; await pause(100)) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    holds(Date.now() < deadline, what);
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Read a list page by page. */
export async function pages<T>(
  list: (options: { cursor?: string | null }) => Promise<{
    items: T[];
    next_cursor?: string | null;
    has_more: boolean;
  }>,
): Promise<T[]> {
  const found: T[] = [];
  for (let cursor: string | null = null; ; ) {
    const page = await list({ cursor });
    found.push(...page.items);
    if (!page.has_more) return found;
    cursor = page.next_cursor ?? null;
  }
}

/** Read an iterable to its end. */
export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

/** Note which methods of a client are called, and know which it has. */
export class Recorder {
  readonly offered = new Set<string>();
  readonly called = new Set<string>();
  readonly #known = new Map<object, object>();

  /** Give a client that is noted. */
  recording<Client extends object>(client: Client, path = ""): Client {
    const known = this.#known.get(client);
    if (known) return known as Client;
    for (const name of methodsOf(client)) this.offered.add(path + name);
    const recorded = new Proxy(client, {
      get: (target, name) => this.#member(target, String(name), path),
    });
    this.#known.set(client, recorded);
    for (const [name, member] of Object.entries(client)) {
      if (methodsOf(member).length > 0) this.recording(member, `${path}${name}.`);
    }
    return recorded;
  }

  /** Name the methods that nobody called. */
  forgotten(): string[] {
    return [...this.offered].filter((name) => !this.called.has(name)).sort();
  }

  #member(target: object, name: string, path: string): unknown {
    const member: unknown = Reflect.get(target, name);
    if (typeof member === "function") {
      return (...given: unknown[]) => {
        this.called.add(path + name);
        return member.apply(target, given);
      };
    }
    return (typeof member === "object" && member && this.#known.get(member)) || member;
  }
}

function methodsOf(thing: unknown): string[] {
  if (typeof thing !== "object" || thing === null) return [];
  const shape = Object.getPrototypeOf(thing);
  if (shape === Object.prototype || shape === null) return [];
  return Object.getOwnPropertyNames(shape).filter((name) => {
    const member = Object.getOwnPropertyDescriptor(shape, name)?.value;
    return name !== "constructor" && typeof member === "function";
  });
}
