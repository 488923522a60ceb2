import Box from "@mui/material/Box";
import { type ReactNode, useEffect, useId, useMemo, useRef, useState } from "react";

export type Choice = {
  id: string;
  label: ReactNode;
  detail?: ReactNode;
  group?: string;
  icon?: ReactNode;
  marked?: boolean;
};

type Props = {
  label: string;
  placeholder: string;
  /** What there is to choose for what was typed, best first. */
  find: (typed: string) => Choice[];
  choose: (choice: Choice) => void;
  onType?: (typed: string) => void;
  empty?: ReactNode;
};

/** A field and the list under it: type, arrow, Enter. */
export function Chooser({ label, placeholder, find, choose, onType, empty }: Props) {
  const [typed, setTyped] = useState("");
  const [at, setAt] = useState(0);
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const choices = useMemo(() => find(typed), [find, typed]);
  const chosen = Math.min(at, Math.max(0, choices.length - 1));

  // biome-ignore lint/correctness/useExhaustiveDependencies: follows the choice
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView?.({ block: "nearest" });
  }, [chosen, typed]);

  const onKeyDown = (event: React.KeyboardEvent) => {
    const step: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 };
    const by = step[event.key];
    if (by) {
      event.preventDefault();
      setAt(Math.min(Math.max(chosen + by, 0), choices.length - 1));
    }
    const choice = choices[chosen];
    if (event.key === "Enter" && choice) {
      event.preventDefault();
      choose(choice);
    }
  };

  return (
    <Box sx={{ display: "flex", flexDirection: "column", minHeight: 0 }}>
      <Box
        component="input"
        autoFocus
        role="combobox"
        aria-label={label}
        aria-expanded="true"
        aria-controls={`${id}list`}
        aria-activedescendant={choices[chosen] ? `${id}-${chosen}` : undefined}
        aria-autocomplete="list"
        placeholder={placeholder}
        value={typed}
        onChange={(event: React.ChangeEvent<HTMLInputElement>) => {
          setTyped(event.target.value);
          setAt(0);
          onType?.(event.target.value);
        }}
        onKeyDown={onKeyDown}
        spellCheck={false}
        sx={{
          font: "inherit",
          fontSize: "0.9375rem",
          color: "text.primary",
          bgcolor: "transparent",
          border: 0,
          borderBottom: 1,
          borderColor: "line",
          px: 2,
          height: 48,
          flex: "none",
          outline: "none !important",
          "&::placeholder": { color: "text.secondary", opacity: 1 },
        }}
      />
      <Box
        ref={list}
        id={`${id}list`}
        role="listbox"
        aria-label={label}
        tabIndex={-1}
        sx={{ overflowY: "auto", maxHeight: "56vh", p: 0.75 }}
      >
        {choices.map((choice, index) => {
          const head = choice.group && choice.group !== choices[index - 1]?.group;
          return (
            <Box key={choice.id} role="presentation">
              {head && (
                <Box
                  role="presentation"
                  sx={{
                    px: 1.25,
                    pt: 1,
                    pb: 0.5,
                    fontSize: "0.6875rem",
                    color: "text.secondary",
                    fontWeight: 600,
                  }}
                >
                  {choice.group}
                </Box>
              )}
              <Box
                id={`${id}-${index}`}
                role="option"
                aria-selected={index === chosen}
                onPointerMove={() => setAt(index)}
                onClick={() => choose(choice)}
                sx={{
                  display: "flex",
                  alignItems: "center",
                  gap: 1.25,
                  px: 1.25,
                  minHeight: 32,
                  borderRadius: 1,
                  cursor: "pointer",
                  fontSize: "0.8125rem",
                  bgcolor: index === chosen ? "rgb(var(--s-palette-primary-mainChannel) / 0.1)" : undefined,
                  fontWeight: choice.marked ? 600 : 450,
                }}
              >
                {choice.icon}
                <Box
                  sx={{
                    flex: 1,
                    minWidth: 0,
                    overflow: "hidden",
                    textOverflow: "ellipsis",
                    whiteSpace: "nowrap",
                  }}
                >
                  {choice.label}
                </Box>
                {choice.detail && (
                  <Box
                    sx={{
                      color: "text.secondary",
                      fontSize: "0.75rem",
                      whiteSpace: "nowrap",
                      fontVariantNumeric: "tabular-nums",
                    }}
                  >
                    {choice.detail}
                  </Box>
                )}
              </Box>
            </Box>
          );
        })}
      </Box>
      {choices.length === 0 && (
        <Box role="status" sx={{ px: 2, pb: 2, color: "text.secondary", fontSize: "0.8125rem" }}>
          {empty ?? "Nothing matches."}
        </Box>
      )}
    </Box>
  );
}
