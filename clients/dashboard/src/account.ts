// Which projects this tab has keys for. They live in the tab's session storage and nowhere else.

import { useSyncExternalStore } from "react";

/** A key with the project that it opens. */
export interface Account {
  key: string;
  projectId: string;
  name: string;
}

interface Accounts {
  all: readonly Account[];
  /** The project that is shown, or none when nobody has signed in. */
  current: Account | undefined;
}

const STORAGE_KEY = "acontext.accounts";
const listeners = new Set<() => void>();
let accounts: Accounts = read();

function read(): Accounts {
  try {
    const all = JSON.parse(sessionStorage.getItem(STORAGE_KEY) ?? "[]") as Account[];
    return { all, current: all[0] };
  } catch {
    return { all: [], current: undefined };
  }
}

function write(all: readonly Account[]): void {
  sessionStorage.setItem(STORAGE_KEY, JSON.stringify(all));
  accounts = { all, current: all[0] };
  for (const listener of listeners) listener();
}

/** Show this account's project, and remember its key for the tab. */
export function signIn(account: Account): void {
  const others = accounts.all.filter((one) => one.projectId !== account.projectId);
  write([account, ...others]);
}

/** Forget the current project's key; another one that is known is shown. */
export function signOut(): void {
  write(accounts.all.slice(1));
}

export function currentAccount(): Account | undefined {
  return accounts.current;
}

export function useAccounts(): Accounts {
  return useSyncExternalStore(subscribe, () => accounts);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
