import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { HttpResponse, http } from "msw";
import { describe, expect, it } from "vitest";
import type { Schemas } from "../api/client";
import { open } from "../test/render";
import { job, page, problem, server } from "../test/server";

const id = job().id;

function backfill(part: Partial<Schemas["Backfill"]> = {}): Schemas["Backfill"] {
  return {
    id: "backfill_01kc0000000000000000000000",
    project: "default",
    job_id: id,
    job_name: "nightly-report",
    from: "2026-11-01T00:00:00Z",
    to: "2026-11-08T00:00:00Z",
    overlap: "buffer_all",
    payload: null,
    state: "running",
    reason: null,
    total: 5,
    created: 3,
    last_scheduled_for: null,
    runs: { pending: 1, running: 1, succeeded: 1, failed: 0, timed_out: 0, cancelled: 0, skipped: 0 },
    created_at: "2026-11-24T10:00:00Z",
    finished_at: null,
    ...part,
  };
}

function serve(...backfills: Schemas["Backfill"][]) {
  const asked: { body: Schemas["BackfillOrder"]; dry: boolean }[] = [];
  server.use(
    http.get("*/api/v1/jobs/:id", () => HttpResponse.json(job())),
    http.get("*/api/v1/jobs/:id/runs", () => HttpResponse.json(page([]))),
    http.get("*/api/v1/jobs/:id/backfills", () => HttpResponse.json(page(backfills))),
    http.post("*/api/v1/jobs/:id/backfill", async ({ request }) => {
      const body = (await request.json()) as Schemas["BackfillOrder"];
      const dry = new URL(request.url).searchParams.get("dry_run") === "true";
      asked.push({ body, dry });
      if (body.payload !== undefined && typeof body.payload !== "object")
        return problem(422, "invalid_request", {
          errors: [{ pointer: "/payload", code: "invalid", detail: "must be an object" }],
        });
      return dry
        ? HttpResponse.json({ total: 7, first: body.from, last: "2026-11-07T01:00:00Z" })
        : HttpResponse.json(backfill(), { status: 202 });
    }),
    http.post("*/api/v1/backfills/:id/cancel", () => {
      backfills[0] = backfill({ state: "cancelled" });
      return HttpResponse.json(backfills[0]);
    }),
  );
  return asked;
}

async function ask(user: ReturnType<typeof userEvent.setup>) {
  await user.click(await screen.findByRole("button", { name: "Actions for nightly-report" }));
  await user.click(await screen.findByRole("menuitem", { name: "Backfill…" }));
  return screen.findByRole("dialog");
}

describe("backfills", () => {
  it("says what it comes to before anything runs, and sends what was asked", async () => {
    const user = userEvent.setup();
    const asked = serve();
    open(`/jobs/${id}`);
    const dialog = await ask(user);
    await within(dialog).findByText("7 runs");
    expect(asked.every(({ dry }) => dry)).toBe(true);
    await user.click(within(dialog).getByRole("button", { name: "Last 7 days" }));
    await user.click(within(dialog).getByRole("radio", { name: /Side by side/ }));
    await user.click(await within(dialog).findByRole("button", { name: "Start 7 runs" }));
    await waitFor(() => expect(asked.at(-1)?.dry).toBe(false));
    const { from, to, overlap, max } = asked.at(-1)?.body ?? { from: "", to: "" };
    expect(Date.parse(to) - Date.parse(from)).toBe(7 * 86_400_000);
    expect([overlap, max]).toEqual(["allow_all", 7]);
    await waitFor(() => expect(screen.queryByRole("dialog")).not.toBeInTheDocument());
  });

  it("shows what is wrong at its field, and starts nothing", async () => {
    const user = userEvent.setup();
    const asked = serve();
    open(`/jobs/${id}`);
    const dialog = await ask(user);
    await user.type(within(dialog).getByLabelText("Another body (optional)"), "[[nonsense");
    expect(await within(dialog).findByText("must be an object")).toBeInTheDocument();
    expect(within(dialog).getByRole("button", { name: "Start" })).toBeDisabled();
    await user.click(within(dialog).getByRole("button", { name: "Cancel" }));
    expect(asked.every(({ dry }) => dry)).toBe(true);
  });

  it("shows how far it is, and cancels it", async () => {
    const user = userEvent.setup();
    serve(backfill());
    open(`/jobs/${id}`);
    const bar = await screen.findByRole("progressbar", { name: /Backfill asked for/ });
    expect(bar).toHaveAttribute("aria-valuetext", "1 of 5 runs are over");
    await user.click(screen.getByRole("button", { name: "Cancel" }));
    expect(await screen.findByText("Cancelled, 1 of 5")).toBeInTheDocument();
  });
});
