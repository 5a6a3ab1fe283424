// Days of a calendar: what a list shows when a chart's day was pressed.

import { type Timestamp, timestampFromDate } from "@bufbuild/protobuf/wkt";

/** A day as a link names it; without a zone it is the browser's. */
export interface Day {
  day?: string | undefined;
  zone?: string | undefined;
}

const DAY = /^\d{4}-\d{2}-\d{2}$/;

export const isDay = (text: string): boolean =>
  DAY.test(text) && !Number.isNaN(Date.parse(`${text}T00:00:00Z`));

/** Give the moments at which a day begins and ends; none for no day. */
export function boundsOf({ day, zone }: Day): { from: Timestamp; to: Timestamp } | undefined {
  if (!day) return undefined;
  const next = new Date(`${day}T00:00:00Z`);
  next.setUTCDate(next.getUTCDate() + 1);
  const end = next.toISOString().slice(0, 10);
  return {
    from: timestampFromDate(startOf(day, zone)),
    to: timestampFromDate(startOf(end, zone)),
  };
}

/** Find the moment at which clocks in a zone begin to show a day. */
export function startOf(day: string, zone?: string): Date {
  const wanted = Date.parse(`${day}T00:00:00Z`);
  let moment = wanted;
  // The first step knows the offset of another moment, which a change of clocks may part from this.
  for (let step = 0; step < 2; step += 1) moment -= shownIn(new Date(moment), zone) - wanted;
  return new Date(moment);
}

/** Read a zone's clock at a moment, as if it were one of UTC. */
function shownIn(moment: Date, zone?: string): number {
  const clock = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone,
    dateStyle: "short",
    timeStyle: "medium",
  });
  const part = Object.fromEntries(clock.formatToParts(moment).map((one) => [one.type, one.value]));
  return Date.parse(
    `${part["year"]}-${part["month"]}-${part["day"]}T${part["hour"]}:${part["minute"]}:${part["second"]}Z`,
  );
}

const words = new Intl.DateTimeFormat("en-GB", {
  weekday: "short",
  day: "numeric",
  month: "short",
  year: "numeric",
  timeZone: "UTC",
});

/** Name a day, with its zone if a link says one. */
export function nameOf({ day, zone }: Day): string {
  if (!day) return "";
  const name = words.format(new Date(`${day}T00:00:00Z`));
  return zone ? `${name}, ${zone.replaceAll("_", " ")}` : name;
}
