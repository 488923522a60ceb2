import Box from "@mui/material/Box";
import { useEffect, useId, useState } from "react";

type Tip = { text: string; x: number; y: number; below: boolean };

/**
 * One tooltip for the whole page: whatever has a `data-tip` shows it on hover and on focus, and Escape hides it.
 * Lists hold hundreds of times and bars; a component for the tooltip of each would cost more than the list.
 */
export function Tips() {
  const id = useId();
  const [tip, setTip] = useState<Tip>();

  useEffect(() => {
    let described: Element | null = null;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const hide = () => {
      clearTimeout(timer);
      described?.removeAttribute("aria-describedby");
      described = null;
      setTip(undefined);
    };
    const show = (event: Event) => {
      const target = event.target instanceof Element ? event.target.closest("[data-tip]") : null;
      if (target === described) return;
      hide();
      const text = target?.getAttribute("data-tip");
      if (!target || !text) return;
      described = target;
      if (event.type === "focusin") target.setAttribute("aria-describedby", id);
      timer = setTimeout(
        () => {
          const box = target.getBoundingClientRect();
          const below = box.top < 80;
          setTip({ text, x: box.left + box.width / 2, y: below ? box.bottom + 6 : box.top - 6, below });
        },
        event.type === "focusin" ? 0 : 200,
      );
    };
    const key = (event: KeyboardEvent) => event.key === "Escape" && hide();
    document.addEventListener("pointerover", show);
    document.addEventListener("focusin", show);
    document.addEventListener("focusout", hide);
    document.addEventListener("pointerdown", hide);
    document.addEventListener("scroll", hide, true);
    document.addEventListener("keydown", key);
    return () => {
      hide();
      document.removeEventListener("pointerover", show);
      document.removeEventListener("focusin", show);
      document.removeEventListener("focusout", hide);
      document.removeEventListener("pointerdown", hide);
      document.removeEventListener("scroll", hide, true);
      document.removeEventListener("keydown", key);
    };
  }, [id]);

  const left = tip ? Math.min(Math.max(tip.x, 170), Math.max(170, window.innerWidth - 170)) : 0;
  return (
    <Box
      id={id}
      role="tooltip"
      hidden={!tip}
      sx={{
        position: "fixed",
        zIndex: 1500,
        pointerEvents: "none",
        width: "max-content",
        maxWidth: 320,
        p: "6px 9px",
        borderRadius: 1,
        bgcolor: "#26292f",
        color: "#f4f5f6",
        fontSize: "0.75rem",
        lineHeight: 1.5,
        whiteSpace: "pre-line",
        overflowWrap: "anywhere",
        boxShadow: "0 4px 14px rgb(0 0 0 / 0.25)",
      }}
      style={
        tip ? { left, top: tip.y, transform: `translate(-50%, ${tip.below ? "0" : "-100%"})` } : undefined
      }
    >
      {tip?.text}
    </Box>
  );
}
