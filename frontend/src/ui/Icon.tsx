import Box from "@mui/material/Box";

type Props = { path: string; size?: number; label?: string };

/** An icon: a path of @mdi/js. Decoration unless it has a label. */
export function Icon({ path, size = 18, label }: Props) {
  return (
    <Box
      component="svg"
      viewBox="0 0 24 24"
      width={size}
      height={size}
      role={label ? "img" : undefined}
      aria-label={label}
      aria-hidden={label ? undefined : true}
      sx={{ flex: "none", fill: "currentcolor", display: "block" }}
    >
      <path d={path} />
    </Box>
  );
}
