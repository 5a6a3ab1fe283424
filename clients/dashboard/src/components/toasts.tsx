// Short messages that come and go, read out to those who do not see them.

import { useEffect, useSyncExternalStore } from "react";

interface Toast {
  id: number;
  text: string;
  isError: boolean;
}

const SHOWN_MS = 5_000;
const listeners = new Set<() => void>();
let toasts: readonly Toast[] = [];
let next = 1;

function change(after: readonly Toast[]): void {
  toasts = after;
  for (const listener of listeners) listener();
}

export function toast(text: string, isError = false): void {
  change([...toasts, { id: next++, text, isError }]);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function Toasts() {
  const shown = useSyncExternalStore(subscribe, () => toasts);
  return (
    <div className="toasts" role="status" aria-live="polite">
      {shown.map((one) => (
        <Shown key={one.id} toast={one} />
      ))}
    </div>
  );
}

function Shown({ toast: { id, text, isError } }: { toast: Toast }) {
  useEffect(() => {
    const timer = setTimeout(() => change(toasts.filter((one) => one.id !== id)), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [id]);
  return <div className={isError ? "toast error" : "toast"}>{text}</div>;
}
