import { render, screen } from "@testing-library/react";
import { HttpResponse, http } from "msw";
import { expect, it, vi } from "vitest";
import { connection } from "../api/connection";
import { server } from "../test/server";
import { patiently } from "./lazy";
import { Mishap } from "./Mishap";

function Broken(): never {
  throw new Error("no such field");
}

it("waits for a page while the service is away, says so, and has it once it is back", async () => {
  let away = true;
  server.use(http.get("*/healthz", () => (away ? HttpResponse.error() : HttpResponse.json({}))));
  const load = vi.fn(async () => {
    if (away) throw new TypeError("Failed to fetch dynamically imported module");
    return "the page";
  });
  const page = patiently(load);
  await vi.waitFor(() => expect(connection.get().awaySince).toBeGreaterThan(0));
  away = false;
  expect(await page).toBe("the page");
  expect(load).toHaveBeenCalledTimes(2);
});

it("does not go in circles where the service is there and the file never is", async () => {
  server.use(http.get("*/healthz", () => HttpResponse.json({})));
  sessionStorage.setItem("scheduler.reloaded", String(Date.now()));
  await expect(patiently(() => Promise.reject(new Error("404")))).rejects.toThrow("404");
});

it("keeps a broken page to itself, and tries again elsewhere", () => {
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  const { rerender } = render(
    <Mishap page="/jobs">
      <Broken />
    </Mishap>,
  );
  expect(screen.getByRole("alert")).toHaveTextContent("no such field");
  rerender(<Mishap page="/runs">the runs</Mishap>);
  expect(screen.getByText("the runs")).toBeInTheDocument();
});
