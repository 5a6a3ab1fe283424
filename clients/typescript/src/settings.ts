// What a client is told once.

/** Where Acontext is, the key that opens a project there, and how patient to be. */
export interface Options {
  /** Address of the gateway, such as `http://localhost:8029`; its `/api/v1` may follow. */
  baseUrl: string;
  /** A project's key, `sk-ac-…`, or the operator's. */
  apiKey: string;
  /** Milliseconds that a call may take, its retries included. Default 320,000. */
  timeout?: number;
  /** How often a repeatable call is tried again while nobody answers. Default 4. */
  retries?: number;
  /** What the caller names itself to the server. */
  userAgent?: string;
}

/** Fill in what was left out. */
export function settingsOf(options: Options): Required<Options> {
  return { timeout: 320_000, retries: 4, userAgent: "acontext-ts", ...options };
}

/** Take the REST base off an address. */
export function gatewayOf(baseUrl: string): string {
  return baseUrl.replace(/\/+$/, "").replace(/\/api\/v1$/, "");
}
