import { describe, expect, it } from "vitest";

import { boundsOf, isDay, nameOf, startOf } from "./days";

describe("days", () => {
  it.each([
    ["2026-11-24", "UTC", "2026-11-24T00:00:00.000Z"],
    ["2026-11-24", "Asia/Kolkata", "2026-11-23T18:30:00.000Z"],
    ["2026-11-24", "America/New_York", "2026-11-24T05:00:00.000Z"],
    // On the day after the clocks went forward, and on the day itself.
    ["2026-03-30", "Europe/Madrid", "2026-03-29T22:00:00.000Z"],
    ["2026-03-29", "Europe/Madrid", "2026-03-28T23:00:00.000Z"],
    // In spring, twelve hours and more ahead.
    ["2026-09-28", "Pacific/Auckland", "2026-09-27T11:00:00.000Z"],
  ])("%s begins in %s at %s", (day, zone, moment) => {
    expect(startOf(day, zone).toISOString()).toBe(moment);
  });

  it("end where the next one begins, whatever clocks do between", () => {
    const bounds = boundsOf({ day: "2026-10-25", zone: "Europe/Madrid" });
    expect(Number(bounds?.to.seconds) - Number(bounds?.from.seconds)).toBe(25 * 3600);
    expect(boundsOf({})).toBeUndefined();
  });

  it("are told from other text", () => {
    expect(["2026-11-24", "2026-13-01", "today", ""].map(isDay)).toEqual([
      true,
      false,
      false,
      false,
    ]);
    expect(nameOf({ day: "2026-11-24", zone: "Europe/Madrid" })).toBe(
      "Tue, 24 Nov 2026, Europe/Madrid",
    );
  });
});
