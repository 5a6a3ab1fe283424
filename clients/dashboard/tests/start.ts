// Starts one system for all journeys, with the demo's story in it.

import { System } from "./system";

export default async function start(): Promise<(() => Promise<void>) | undefined> {
  // Some other test may have started one already, such as that of the wheels.
  if (process.env["DASHBOARD_PLACE"]) return undefined;
  const system = await System.inOwnFolder();
  process.env["DASHBOARD_PLACE"] = JSON.stringify(system.where);
  await system.start();
  system.tellTheStory();
  return () => system.stop();
}
