import { createStore } from "../ui/store";

/** What lies over the page. */
export const overlay = createStore<"palette" | "help" | undefined>(undefined);
