// Pages, and everything that they hold.

/** Which page of a list. */
export interface PageOptions {
  /** Items on the page, 1 to 200. Default 20; of messages and users, all. */
  limit?: number | null;
  /** `next_cursor` of the page before. */
  cursor?: string | null;
  /** The newest first instead of the oldest. */
  timeDesc?: boolean | null;
}

/** A page of a list. */
export interface Page<Item> {
  items: Item[];
  next_cursor?: string | null;
  has_more: boolean;
}

/** How one call may differ from the client's settings. */
export interface CallOptions {
  /** Milliseconds that the call may take, its retries included. */
  timeoutMs?: number;
  /** Stops the call when it is aborted. */
  signal?: AbortSignal;
  /** A UUID of the caller's: a write that is repeated with it, even by another process, is done once. */
  requestId?: string;
}

/** Say a page in the words of a request. */
export function pageFields({ limit, cursor, timeDesc }: PageOptions) {
  return { ...given({ limit, cursor }), timeDesc: timeDesc ?? false };
}

/** Leave out what is null, which means absent. */
export function given<T extends object>(fields: T): { [K in keyof T]?: NonNullable<T[K]> } {
  const present = Object.entries(fields).filter(
    ([, value]) => value !== null && value !== undefined,
  );
  return Object.fromEntries(present) as { [K in keyof T]?: NonNullable<T[K]> };
}

/** Make a page of an answer. */
export function pageOf<Typed, Item>(
  answer: { items: Typed[]; nextCursor?: string | undefined; hasMore: boolean },
  model: (item: Typed) => Item,
): Page<Item> {
  const { items, nextCursor, hasMore } = answer;
  return {
    items: items.map(model),
    has_more: hasMore,
    ...(nextCursor === undefined ? {} : { next_cursor: nextCursor }),
  };
}

/** Give every item of a list, and ask for the next page when the last item was taken. */
export async function* everything<Item>(
  list: (options: PageOptions) => Promise<Page<Item>>,
  options: PageOptions,
): AsyncGenerator<Item, void, undefined> {
  let cursor = options.cursor ?? null;
  for (;;) {
    const page = await list({ ...options, cursor });
    yield* page.items;
    if (!page.has_more || !page.next_cursor) return;
    cursor = page.next_cursor;
  }
}
