// What stands where data will be: while it comes, when there is none, when it failed.

import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { explain } from "../api/errors";
import { Button, CopyButton } from "./basics";

export function ErrorState({
  error,
  retry,
  isPage = false,
}: {
  error: unknown;
  retry?: (() => void) | undefined;
  /** It stands for a whole page, so its title is the page's. */
  isPage?: boolean;
}) {
  const Title = isPage ? "h1" : "p";
  const { sentence, reason, requestId, isMissing } = explain(error);
  return (
    <div className="state" role="alert">
      <Title className="state-title">
        {isMissing ? "There is no such thing here" : "This did not work"}
      </Title>
      <p>{sentence}</p>
      {(reason || requestId) && (
        <p className="faint small">
          {reason && <code>{reason}</code>}
          {requestId && (
            <>
              {" "}
              request <code>{requestId}</code>
              <CopyButton text={requestId} label="Copy the request id" />
            </>
          )}
        </p>
      )}
      {retry && !isMissing && <Button onPress={retry}>Try again</Button>}
    </div>
  );
}

/** An error beside what still works, such as below a form. */
export function ErrorLine({ error }: { error: unknown }) {
  if (!error) return null;
  const { sentence, reason, requestId } = explain(error);
  return (
    <p className="error-line" role="alert">
      {sentence} {reason && <code>{reason}</code>}{" "}
      {requestId && <span className="small">request {requestId}</span>}
    </p>
  );
}

export function Empty({
  title,
  children,
  snippet,
}: {
  title: string;
  children?: ReactNode;
  snippet?: string;
}) {
  return (
    <div className="state">
      <p className="state-title">{title}</p>
      {children && <div className="state-text">{children}</div>}
      {snippet && <Snippet text={snippet} />}
    </div>
  );
}

export function Snippet({ text }: { text: string }) {
  return (
    <div className="snippet">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard has to reach it */}
      <pre tabIndex={0}>{text}</pre>
      <CopyButton text={text} label="Copy the snippet" />
    </div>
  );
}

/** Grey bars in the place of what is coming, so that nothing jumps when it is there. */
export function Loading({ lines = 6, label = "Loading" }: { lines?: number; label?: string }) {
  return (
    <div className="loading" role="status" aria-label={label}>
      {Array.from({ length: lines }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they are all alike
        <div className="bar" key={index} />
      ))}
    </div>
  );
}

export function NotFound() {
  return (
    <div className="state">
      <h1 className="state-title">There is no such page</h1>
      <p>
        The address names nothing here. <Link to="/">Go to the overview</Link>
      </p>
    </div>
  );
}

/** Show one of three: an error, bars, or the data. */
export function Loaded<Data>({
  query,
  children,
  lines,
  label,
  isPage,
}: {
  query: { data: Data | undefined; error: unknown; refetch: () => unknown };
  children: (data: Data) => ReactNode;
  lines?: number;
  label?: string;
  isPage?: boolean;
}) {
  if (query.data !== undefined) return <>{children(query.data)}</>;
  if (query.error)
    return (
      <ErrorState error={query.error} retry={() => void query.refetch()} isPage={isPage ?? false} />
    );
  return <Loading {...(lines ? { lines } : {})} {...(label ? { label } : {})} />;
}
