// The journey in a browser; the page tells the server that it came from how it went.

import { everything, type Place } from "./everything.js";

// The shared journey makes bytes as Node's programs do; a browser has its own way.
const encoder = new TextEncoder();
Object.assign(globalThis, { Buffer: { from: (text: string) => encoder.encode(text) } });

const place = (await (await fetch("/place.json")).json()) as Place;
const told = await everything(place).catch((error: Error) => `${error}\n${error.stack}`);
await fetch("/told", { method: "POST", body: told });
