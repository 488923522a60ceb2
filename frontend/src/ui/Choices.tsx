import Box from "@mui/material/Box";

type Props<T extends string> = {
  label: string;
  /** What is sent, its name, and what it comes to. */
  options: readonly (readonly [T, string, string])[];
  chosen: T;
  onChange: (chosen: T) => void;
  /** CSS grid columns from each width on. */
  columns: { sm: string; lg?: string };
  id?: string;
};

/** One of a few, each with a sentence about it. */
export function Choices<T extends string>({ label, options, chosen, onChange, columns, id }: Props<T>) {
  return (
    <Box
      role="radiogroup"
      aria-label={label}
      id={id}
      sx={{ display: "grid", gap: 1, gridTemplateColumns: columns, fontSize: "0.8125rem" }}
    >
      {options.map(([value, name, words]) => (
        <Box
          key={value}
          component="label"
          sx={{
            display: "flex",
            gap: 1,
            p: 1.25,
            border: 1,
            borderColor: chosen === value ? "primary.main" : "line",
            borderRadius: 1,
            cursor: "pointer",
            bgcolor: chosen === value ? "rgb(var(--s-palette-primary-mainChannel) / 0.07)" : undefined,
          }}
        >
          <input
            type="radio"
            name={label}
            checked={chosen === value}
            onChange={() => onChange(value)}
            style={{ margin: "2px 0 0", accentColor: "var(--s-palette-primary-main)" }}
          />
          <Box>
            <Box sx={{ fontWeight: 600 }}>{name}</Box>
            <Box sx={{ fontSize: "0.75rem", color: "text.secondary" }}>{words}</Box>
          </Box>
        </Box>
      ))}
    </Box>
  );
}
