// The whole journey with our client, and the proof that no method was forgotten.

import * as sdk from "@acontext/acontext";

import { equal, Recorder } from "./checking.js";
import { ours } from "./ours.js";
import { shared } from "./shared.js";

/** Where the system is, and what opens it. */
export interface Place {
  baseUrl: string;
  /** A key of an empty project. */
  apiKey: string;
  adminKey: string;
}

/** Call every public method of our client, and say how many there are. */
export async function everything({ baseUrl, apiKey, adminKey }: Place): Promise<string> {
  const recorder = new Recorder();
  const recorded = (key: string) =>
    recorder.recording(new sdk.AcontextClient({ baseUrl, apiKey: key }));
  const client = recorded(apiKey);
  await shared(sdk, client);
  await ours(client, recorded(adminKey));
  equal(recorder.forgotten(), [], "what was not called");
  return `${recorder.called.size} methods were called`;
}
