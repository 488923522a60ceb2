import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import { useUrl } from "./useUrl";

type Props = { next?: string | null; count: number; what: string };

/** Pages by cursor; Back of the browser is the page before. */
export function Pager({ next, count, what }: Props) {
  const { one, set } = useUrl();
  const cursor = one("cursor");
  if (!cursor && !next) return null;
  return (
    <Box
      sx={{
        display: "flex",
        alignItems: "center",
        gap: 1,
        px: 2,
        py: 1,
        borderTop: 1,
        borderColor: "line",
        fontSize: "0.8125rem",
      }}
    >
      <Box sx={{ color: "text.secondary", flex: 1 }}>
        {count} {what} on this page
      </Box>
      {cursor && (
        <Button variant="text" onClick={() => set({ cursor: undefined })}>
          First page
        </Button>
      )}
      <Button variant="outlined" disabled={!next} onClick={() => set({ cursor: next ?? undefined })}>
        Next page
      </Button>
    </Box>
  );
}
