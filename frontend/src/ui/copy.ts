import { toast } from "./toasts";

/** Copies text. Browsers have a clipboard on HTTPS and localhost only; the old way works everywhere. */
export async function copy(text: string, what = "Copied") {
  let done = false;
  try {
    await navigator.clipboard.writeText(text);
    done = true;
  } catch {
    done = copyTheOldWay(text);
  }
  toast(done ? { title: what } : { tone: "error", title: "This browser does not let pages copy" });
}

function copyTheOldWay(text: string) {
  const area = document.createElement("textarea");
  area.value = text;
  area.style.position = "fixed";
  area.style.opacity = "0";
  const focused = document.activeElement;
  document.body.append(area);
  area.select();
  const done = document.execCommand?.("copy") ?? false;
  area.remove();
  if (focused instanceof HTMLElement) focused.focus();
  return done;
}
