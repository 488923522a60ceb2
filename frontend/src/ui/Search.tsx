import { mdiMagnify } from "@mdi/js";
import Box from "@mui/material/Box";
import { useEffect, useRef, useState } from "react";
import { Icon } from "./Icon";

type Props = { label: string; placeholder: string; value: string; onChange: (value: string) => void };

/** A search field that asks 150 ms after the last key. `/` goes to it, Escape empties it. */
export function Search({ label, placeholder, value, onChange }: Props) {
  const [typed, setTyped] = useState(value);
  const told = useRef(value);
  const tell = useRef(onChange);
  tell.current = onChange;

  // The address changed by other means, such as Back.
  useEffect(() => {
    if (value !== told.current) {
      told.current = value;
      setTyped(value);
    }
  }, [value]);

  useEffect(() => {
    if (typed === told.current) return;
    const timer = setTimeout(() => {
      told.current = typed;
      tell.current(typed);
    }, 150);
    return () => clearTimeout(timer);
  }, [typed]);

  return (
    <Box
      component="label"
      sx={{
        display: "flex",
        alignItems: "center",
        gap: 1,
        height: 32,
        px: 1,
        flex: { xs: "1 1 100%", sm: "0 1 280px" },
        color: "text.secondary",
        bgcolor: "background.paper",
        border: 1,
        borderColor: "lineStrong",
        borderRadius: 1,
        "&:focus-within": { borderColor: "primary.main" },
      }}
    >
      <Icon path={mdiMagnify} size={16} />
      <Box
        component="input"
        data-search
        type="search"
        aria-label={label}
        placeholder={placeholder}
        maxLength={128}
        value={typed}
        spellCheck={false}
        autoComplete="off"
        onChange={(event: React.ChangeEvent<HTMLInputElement>) => setTyped(event.target.value)}
        onKeyDown={(event: React.KeyboardEvent<HTMLInputElement>) => {
          if (event.key === "Escape") {
            if (typed) setTyped("");
            else event.currentTarget.blur();
          }
        }}
        sx={{
          flex: 1,
          minWidth: 0,
          font: "inherit",
          fontSize: "0.8125rem",
          color: "text.primary",
          bgcolor: "transparent",
          border: 0,
          outline: "none !important",
          "&::placeholder": { color: "text.secondary", opacity: 1 },
        }}
      />
    </Box>
  );
}
