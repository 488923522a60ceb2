import Box from "@mui/material/Box";
import Dialog from "@mui/material/Dialog";
import DialogContent from "@mui/material/DialogContent";
import DialogTitle from "@mui/material/DialogTitle";
import { overlay } from "../app/overlay";
import { SHORTCUTS } from "../app/shortcuts";

export default function Help() {
  return (
    <Dialog open onClose={() => overlay.set(undefined)} aria-labelledby="help" maxWidth="xs" fullWidth>
      <DialogTitle id="help">Keyboard</DialogTitle>
      <DialogContent>
        <Box
          component="dl"
          sx={{
            m: 0,
            display: "grid",
            gridTemplateColumns: "auto 1fr",
            gap: "8px 20px",
            fontSize: "0.8125rem",
          }}
        >
          {SHORTCUTS.map(([keys, meaning]) => (
            <Box key={keys} sx={{ display: "contents" }}>
              <Box component="dt">
                <kbd>{keys}</kbd>
              </Box>
              <Box component="dd" sx={{ m: 0 }}>
                {meaning}
              </Box>
            </Box>
          ))}
        </Box>
      </DialogContent>
    </Dialog>
  );
}
