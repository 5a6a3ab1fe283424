// The shared part of the journey, with whichever SDK is installed where this runs.

import * as sdk from "@acontext/acontext";

import { equal, Recorder } from "./checking.js";
import { shared } from "./shared.js";

const INNER = ["getFetch", "getFormData", "handleResponse", "request"];

const recorder = new Recorder();
await shared(sdk, recorder.recording(new sdk.AcontextClient()));
equal(recorder.forgotten(), INNER, "what was not called");
console.log(`${recorder.called.size} methods were called`);
