import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { HttpResponse, http } from "msw";
import { describe, expect, it } from "vitest";
import { open } from "../test/render";
import { job, page, problem, server } from "../test/server";

const odd = 'a/b.c?d#e "f" <g> 日本 %2F';

function list(...jobs: ReturnType<typeof job>[]) {
  const asked: URLSearchParams[] = [];
  server.use(
    http.get("*/api/v1/jobs", ({ request }) => {
      const query = new URL(request.url).searchParams;
      asked.push(query);
      const q = query.get("q")?.toLowerCase() ?? "";
      return HttpResponse.json(page(jobs.filter(({ name }) => name.toLowerCase().includes(q))));
    }),
  );
  return asked;
}

describe("the list of jobs", () => {
  it("shows state, words of the service, raw form and zone", async () => {
    list(job({ labels: { team: "billing" } }));
    open("/jobs");
    const row = (await screen.findByRole("link", { name: "nightly-report" })).closest("tr") as HTMLElement;
    expect(await within(row).findAllByText("At 02:00 on weekdays")).not.toHaveLength(0);
    expect(within(row).getByText("0 2 * * 1-5")).toBeInTheDocument();
    expect(within(row).getByText("Europe/Paris")).toBeInTheDocument();
    expect(within(row).getByRole("button", { name: "team:billing" })).toBeInTheDocument();
  });

  it("keeps search, state, label and order in the address and asks the service for them", async () => {
    const user = userEvent.setup();
    const asked = list(job({ labels: { team: "billing" } }), job({ id: "job_2", name: "other" }));
    const { address } = open("/jobs?state=paused&state2=x&sort=bogus");
    await screen.findByRole("link", { name: "other" });
    expect(asked.at(-1)?.get("state")).toBe("paused");
    expect(asked.at(-1)?.get("sort")).toBe("next_fire_at");
    await user.type(screen.getByRole("searchbox"), "nightly");
    await waitFor(() => expect(address()).toContain("q=nightly"));
    await waitFor(() => expect(screen.queryByRole("link", { name: "other" })).not.toBeInTheDocument());
    await user.click(screen.getByRole("button", { name: "team:billing" }));
    await waitFor(() => expect(asked.at(-1)?.getAll("label")).toEqual(["team:billing"]));
    await user.click(screen.getByRole("button", { name: /^Name/ }));
    await waitFor(() => expect(address()).toContain("sort=name"));
    expect(asked.at(-1)?.has("limit")).toBe(false);
  });

  it("tells “none yet” from “none match”", async () => {
    const user = userEvent.setup();
    list(job());
    const { address } = open("/jobs?q=zebra");
    expect(await screen.findByText("No job matches")).toBeInTheDocument();
    await user.click(screen.getAllByRole("button", { name: "Clear filters" })[0] as HTMLElement);
    expect(await screen.findByRole("link", { name: "nightly-report" })).toBeInTheDocument();
    expect(address()).toBe("/jobs");
  });

  it("begins with templates where there is no job", async () => {
    list();
    open("/jobs");
    expect(await screen.findByText("Begin with a job")).toBeInTheDocument();
  });

  it("shows names with every character, and leads to them by id", async () => {
    list(job({ name: odd }));
    open("/jobs");
    const link = await screen.findByRole("link", { name: odd });
    expect(link).toHaveAttribute("href", "/jobs/job_01kc0000000000000000000000");
  });

  it("an unreadable job says why and can be deleted, not run", async () => {
    const user = userEvent.setup();
    const { id, name, project, version, created_at, updated_at } = job({ name: "broken" });
    const unreadable = {
      id,
      name,
      project,
      version,
      created_at,
      updated_at,
      state: "invalid",
      error: "unknown field",
      last_run: null,
    };
    server.use(http.get("*/api/v1/jobs", () => HttpResponse.json(page([unreadable]))));
    open("/jobs");
    expect(await screen.findByText("unknown field")).toBeInTheDocument();
    await user.click(screen.getByRole("button", { name: "Actions for broken" }));
    expect(screen.queryByRole("menuitem", { name: "Run now" })).not.toBeInTheDocument();
    expect(screen.getByRole("menuitem", { name: "Delete…" })).toBeInTheDocument();
  });

  it("pausing offers to undo it", async () => {
    const user = userEvent.setup();
    let state: "active" | "paused" = "active";
    server.use(
      http.get("*/api/v1/jobs", () => HttpResponse.json(page([job({ state })]))),
      http.post("*/api/v1/jobs/:id/:action", ({ params }) => {
        state = params.action === "pause" ? "paused" : "active";
        return HttpResponse.json(job({ state }));
      }),
    );
    open("/jobs");
    await user.click(await screen.findByRole("button", { name: "Actions for nightly-report" }));
    await user.click(screen.getByRole("menuitem", { name: "Pause" }));
    await waitFor(() => expect(screen.getAllByText("Paused").length).toBeGreaterThan(0));
    await user.click(await screen.findByRole("button", { name: "Undo" }));
    await waitFor(() => expect(screen.getAllByText("Active").length).toBeGreaterThan(0));
  });

  it("a request that fails says which one it was in the log", async () => {
    const user = userEvent.setup();
    list(job());
    server.use(
      http.post("*/api/v1/jobs/:id/run", () =>
        problem(409, "conflict", { title: "No", detail: "it is completed" }),
      ),
    );
    open("/jobs");
    await user.click(await screen.findByRole("button", { name: "Actions for nightly-report" }));
    await user.click(screen.getByRole("menuitem", { name: "Run now" }));
    const alert = await screen.findByRole("alert");
    expect(alert).toHaveTextContent("it is completed");
    expect(alert).toHaveTextContent("req-1");
  });

  it("keeps what it shows while the service is away, says so, and recovers", async () => {
    const user = userEvent.setup();
    list(job());
    open("/jobs");
    await screen.findByRole("link", { name: "nightly-report" });
    server.use(http.get("*/api/v1/jobs", () => HttpResponse.error()));
    await user.keyboard("r");
    expect(await screen.findByText(/The service does not answer/)).toBeInTheDocument();
    expect(screen.getByRole("button", { name: "Reconnecting" })).toBeInTheDocument();
    expect(screen.getByRole("link", { name: "nightly-report" })).toBeInTheDocument();
    server.resetHandlers();
    list(job({ name: "renamed-meanwhile" }));
    expect(
      await screen.findByRole("link", { name: "renamed-meanwhile" }, { timeout: 15_000 }),
    ).toBeInTheDocument();
    expect(screen.queryByText(/The service does not answer/)).not.toBeInTheDocument();
  });
});
