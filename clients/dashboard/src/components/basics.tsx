// Small things that every page shows: times, ids, states, copy buttons.

import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { type ReactNode, useEffect, useState } from "react";
import {
  Button as AriaButton,
  type ButtonProps,
  Tooltip,
  TooltipTrigger,
} from "react-aria-components";

import { Icon, type IconName } from "./icon";
import { toast } from "./toasts";
import { ago, dateOf, moment, shortId } from "./words";

export function Time({ value }: { value: Timestamp | undefined }) {
  const date = dateOf(value);
  useTick();
  if (!date) return <span className="faint">never</span>;
  return (
    <time dateTime={date.toISOString()} title={moment(date)}>
      {ago(date)}
    </time>
  );
}

function useTick(): void {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((before) => before + 1), 15_000);
    return () => clearInterval(timer);
  }, []);
}

interface Looks {
  look?: "plain" | "primary" | "danger" | "quiet";
  icon?: IconName;
}

export function Button({ look = "plain", icon, children, ...rest }: ButtonProps & Looks) {
  return (
    <AriaButton {...rest} className={`button ${look}`}>
      {(state) => (
        <>
          {icon && <Icon name={icon} />}
          {typeof children === "function"
            ? children({ ...state, defaultChildren: null })
            : children}
        </>
      )}
    </AriaButton>
  );
}

/** A button that is a picture, with its words in a tooltip. */
export function IconButton({
  icon,
  label,
  ...rest
}: Omit<ButtonProps, "children"> & { icon: IconName; label: string }) {
  return (
    <TooltipTrigger delay={400}>
      <AriaButton {...rest} className="button quiet square" aria-label={label}>
        <Icon name={icon} />
      </AriaButton>
      <Tooltip className="tooltip" offset={6}>
        {label}
      </Tooltip>
    </TooltipTrigger>
  );
}

export async function copy(text: string, what = "Copied"): Promise<void> {
  await navigator.clipboard.writeText(text);
  toast(what);
}

export function CopyButton({ text, label }: { text: string; label: string }) {
  return <IconButton icon="copy" label={label} onPress={() => void copy(text)} />;
}

export function Id({ value }: { value: string }) {
  return (
    <span className="id">
      <code title={value}>{shortId(value)}</code>
      <CopyButton text={value} label={`Copy the id ${shortId(value)}`} />
    </span>
  );
}

const ICONS: Record<string, IconName> = {
  success: "check",
  observed: "check",
  failed: "cross",
  refused: "cross",
  running: "spin",
  pending: "clock",
};

export function Status({ value, children }: { value: string; children?: ReactNode }) {
  return (
    <span className={`status ${value}`}>
      <Icon name={ICONS[value] ?? "dot"} />
      {children ?? value}
    </span>
  );
}

export function Card({
  title,
  actions,
  children,
  className = "",
}: {
  title?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  className?: string;
}) {
  return (
    <section className={`card ${className}`}>
      {(title || actions) && (
        <header className="card-head">
          {title && <h2>{title}</h2>}
          {actions && <div className="row">{actions}</div>}
        </header>
      )}
      {children}
    </section>
  );
}

export function PageHead({
  title,
  above,
  children,
  about,
}: {
  title: ReactNode;
  above?: ReactNode;
  about?: ReactNode;
  children?: ReactNode;
}) {
  return (
    <header className="page-head">
      <div className="page-title">
        {above && <div className="crumbs">{above}</div>}
        <h1>{title}</h1>
        {about && <div className="about">{about}</div>}
      </div>
      {children && <div className="row">{children}</div>}
    </header>
  );
}
