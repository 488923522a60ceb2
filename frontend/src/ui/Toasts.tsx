import { mdiAlertCircleOutline, mdiCheckCircleOutline, mdiClose } from "@mdi/js";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import IconButton from "@mui/material/IconButton";
import { useEffect, useRef } from "react";
import { Icon } from "./Icon";
import { useStore } from "./store";
import { dismiss, type Toast, toasts } from "./toasts";

/** What has just happened, in the corner; it stays while somebody looks at it. */
export function Toasts() {
  const shown = useStore(toasts);
  return (
    <Box
      role="region"
      aria-label="Messages"
      sx={{
        position: "fixed",
        zIndex: 1400,
        right: { xs: 12, sm: 20 },
        left: { xs: 12, sm: "auto" },
        bottom: { xs: 68, md: 20 },
        display: "grid",
        gap: 1,
        width: { sm: 380 },
      }}
    >
      {shown.map((toast) => (
        <Entry key={toast.id} toast={toast} />
      ))}
    </Box>
  );
}

function Entry({ toast }: { toast: Toast }) {
  const held = useRef(false);
  const stays = toast.tone === "error" ? 12_000 : toast.action ? 10_000 : 5000;
  useEffect(() => {
    let left = stays;
    const timer = setInterval(() => {
      if (!held.current) left -= 250;
      if (left <= 0) dismiss(toast.id);
    }, 250);
    return () => clearInterval(timer);
  }, [toast.id, stays]);
  const hold = (value: boolean) => () => {
    held.current = value;
  };
  return (
    <Box
      role={toast.tone === "error" ? "alert" : "status"}
      onPointerEnter={hold(true)}
      onPointerLeave={hold(false)}
      onFocus={hold(true)}
      onBlur={hold(false)}
      sx={{
        display: "flex",
        gap: 1.25,
        alignItems: "flex-start",
        p: "10px 8px 10px 14px",
        bgcolor: "raised",
        border: 1,
        borderColor: "lineStrong",
        borderRadius: 1.5,
        boxShadow: "0 8px 28px rgb(0 0 0 / 0.18)",
        fontSize: "0.8125rem",
      }}
    >
      <Box sx={{ color: toast.tone === "error" ? "error.main" : "success.main", pt: "1px" }}>
        <Icon path={toast.tone === "error" ? mdiAlertCircleOutline : mdiCheckCircleOutline} />
      </Box>
      <Box sx={{ flex: 1, minWidth: 0, overflowWrap: "anywhere" }}>
        <Box sx={{ fontWeight: 550 }}>{toast.title}</Box>
        {toast.detail && <Box sx={{ color: "text.secondary" }}>{toast.detail}</Box>}
        {toast.requestId && (
          <Box sx={{ color: "text.secondary", fontSize: "0.75rem" }}>
            Request <code>{toast.requestId}</code>
          </Box>
        )}
      </Box>
      {toast.action && (
        <Button
          onClick={() => {
            toast.action?.act();
            dismiss(toast.id);
          }}
          sx={{ mt: "-3px" }}
        >
          {toast.action.label}
        </Button>
      )}
      <IconButton aria-label="Dismiss" onClick={() => dismiss(toast.id)} sx={{ mt: "-4px" }}>
        <Icon path={mdiClose} size={16} />
      </IconButton>
    </Box>
  );
}
