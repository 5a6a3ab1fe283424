// Form fields with their labels, and the menus and dialogs they stand in.

import { type ReactNode, useId, useRef, useState } from "react";
import {
  Button as AriaButton,
  SearchField as AriaSearchField,
  Switch as AriaSwitch,
  TextField as AriaTextField,
  Dialog,
  FieldError,
  Heading,
  Input,
  Label,
  ListBox,
  ListBoxItem,
  Menu,
  MenuItem,
  type MenuItemProps,
  Modal,
  ModalOverlay,
  Popover,
  Text,
  TextArea,
} from "react-aria-components";

import { Button } from "./basics";
import { Icon, type IconName } from "./icon";
import { ErrorLine } from "./states";

interface TextFieldProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  help?: ReactNode;
  placeholder?: string;
  lines?: number;
  type?: "text" | "password" | "number";
  isRequired?: boolean;
  isHiddenLabel?: boolean;
  autoFocus?: boolean;
  error?: string | undefined;
  code?: boolean;
}

export function TextField(props: TextFieldProps) {
  const { label, help, placeholder, lines, isHiddenLabel, error, code, type, ...field } = props;
  const className = code ? "input code" : "input";
  return (
    <AriaTextField
      {...field}
      className="field"
      type={type ?? "text"}
      isInvalid={error !== undefined}
      {...(isHiddenLabel ? { "aria-label": label } : {})}
    >
      {!isHiddenLabel && <Label>{label}</Label>}
      {lines ? (
        <TextArea className={className} rows={lines} placeholder={placeholder ?? ""} />
      ) : (
        <Input
          className={className}
          placeholder={placeholder ?? ""}
          autoComplete="off"
          spellCheck={false}
        />
      )}
      {help && (
        <Text slot="description" className="help">
          {help}
        </Text>
      )}
      <FieldError className="error-line">{error}</FieldError>
    </AriaTextField>
  );
}

/** A search box that answers when Enter is pressed or it is cleared. */
export function SearchField({
  label,
  placeholder,
  value,
  onSearch,
}: {
  label: string;
  placeholder: string;
  value: string;
  onSearch: (text: string) => void;
}) {
  const [text, setText] = useState(value);
  const [known, setKnown] = useState(value);
  if (known !== value) {
    setKnown(value);
    setText(value);
  }
  return (
    <AriaSearchField
      className="search"
      aria-label={label}
      value={text}
      onChange={setText}
      onSubmit={(submitted) => onSearch(submitted.trim())}
      onClear={() => onSearch("")}
    >
      <Icon name="search" />
      <Input placeholder={placeholder} />
      <AriaButton className="button quiet square" aria-label="Clear">
        <Icon name="cross" />
      </AriaButton>
    </AriaSearchField>
  );
}

/** One of some words: like a menu of actions, a plain button until it is pressed. */
export function Select<Key extends string>({
  label,
  value,
  options,
  onChange,
  showLabel = false,
}: {
  label: string;
  value: Key;
  options: readonly (readonly [Key, string])[];
  onChange: (key: Key) => void;
  showLabel?: boolean;
}) {
  const [isOpen, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const id = useId();
  const chosen = options.find(([key]) => key === value)?.[1] ?? "";
  return (
    <div className="select">
      {showLabel && <label htmlFor={id}>{label}</label>}
      <button
        ref={button}
        id={id}
        type="button"
        className="button plain"
        aria-label={`${label}: ${chosen}`}
        aria-haspopup="listbox"
        aria-expanded={isOpen}
        onClick={() => setOpen(true)}
        onKeyDown={(event) => {
          if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
          event.preventDefault();
          setOpen(true);
        }}
      >
        <span className="select-value">{chosen}</span>
        <Icon name="down" />
      </button>
      {isOpen && (
        <Popover className="popover" triggerRef={button} isOpen onOpenChange={setOpen}>
          <ListBox
            className="menu"
            aria-label={label}
            selectionMode="single"
            selectedKeys={[value]}
            autoFocus
          >
            {options.map(([key, words]) => (
              <ListBoxItem
                className="menu-item"
                key={key}
                id={key}
                textValue={words}
                onPress={() => {
                  setOpen(false);
                  onChange(key);
                }}
              >
                {words}
              </ListBoxItem>
            ))}
          </ListBox>
        </Popover>
      )}
    </div>
  );
}

export function Switch({
  label,
  value,
  onChange,
}: {
  label: string;
  value: boolean;
  onChange: (value: boolean) => void;
}) {
  return (
    <AriaSwitch className="switch" isSelected={value} onChange={onChange}>
      <span className="switch-track" aria-hidden="true" />
      {label}
    </AriaSwitch>
  );
}

/** A menu of actions: a plain button until it is pressed, for every row of a table has one. */
export function ActionMenu({
  label,
  icon = "more",
  children,
}: {
  label: string;
  icon?: IconName;
  children: ReactNode;
}) {
  const [opened, setOpened] = useState<"by pointer" | "by keyboard">();
  const button = useRef<HTMLButtonElement>(null);
  const close = () => setOpened(undefined);
  return (
    <>
      <button
        ref={button}
        type="button"
        className="button quiet square"
        aria-label={label}
        aria-haspopup="menu"
        aria-expanded={opened !== undefined}
        // What is pressed here is not for the row of a tree that it may stand in.
        onPointerDown={(event) => event.stopPropagation()}
        onClick={(event) => {
          event.stopPropagation();
          setOpened(event.detail === 0 ? "by keyboard" : "by pointer");
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter" || event.key === " ") event.stopPropagation();
          if (event.key !== "ArrowDown") return;
          event.preventDefault();
          event.stopPropagation();
          setOpened("by keyboard");
        }}
      >
        <Icon name={icon} {...(icon === "more" ? { className: "bold" } : {})} />
      </button>
      {opened && (
        <Popover
          className="popover"
          placement="bottom end"
          triggerRef={button}
          isOpen
          onOpenChange={close}
        >
          <Menu
            className="menu"
            aria-label={label}
            autoFocus={opened === "by keyboard" ? "first" : true}
            onClose={close}
          >
            {children}
          </Menu>
        </Popover>
      )}
    </>
  );
}

export function ActionItem(props: MenuItemProps & { isDanger?: boolean }) {
  const { isDanger, ...rest } = props;
  return <MenuItem {...rest} className={isDanger ? "menu-item danger" : "menu-item"} />;
}

export function Sheet({
  title,
  isOpen,
  onClose,
  children,
}: {
  title: string;
  isOpen: boolean;
  onClose: () => void;
  children: ReactNode;
}) {
  return (
    <ModalOverlay
      className="overlay"
      isOpen={isOpen}
      onOpenChange={(open) => !open && onClose()}
      isDismissable
    >
      <Modal className="modal">
        <Dialog className="dialog">
          <Heading slot="title">{title}</Heading>
          {children}
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

/** A form in a dialog that closes when it worked and says why when it did not. */
export function FormSheet({
  title,
  isOpen,
  onClose,
  submit,
  submitLabel,
  isDanger,
  isReady = true,
  children,
}: {
  title: string;
  isOpen: boolean;
  onClose: () => void;
  submit: () => Promise<unknown>;
  submitLabel: string;
  isDanger?: boolean;
  isReady?: boolean;
  children: ReactNode;
}) {
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const close = () => {
    setError(undefined);
    onClose();
  };
  const run = async () => {
    setBusy(true);
    setError(undefined);
    try {
      await submit();
      close();
    } catch (problem) {
      setError(problem);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Sheet title={title} isOpen={isOpen} onClose={close}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void run();
        }}
      >
        <div className="form">{children}</div>
        <ErrorLine error={error} />
        <div className="row end">
          <Button onPress={close}>Cancel</Button>
          <Button
            type="submit"
            look={isDanger ? "danger" : "primary"}
            isDisabled={isBusy || !isReady}
          >
            {isBusy ? "Working…" : submitLabel}
          </Button>
        </div>
      </form>
    </Sheet>
  );
}
