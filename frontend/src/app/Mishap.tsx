import Button from "@mui/material/Button";
import { Component, type ReactNode } from "react";
import { Page } from "../ui/Page";
import { Empty } from "../ui/Panels";

/** Where a page breaks, the rest of the screen stays, and says what can be done. A new `page` is a new try. */
export class Mishap extends Component<
  { page: string; children: ReactNode },
  { error?: unknown; page?: string }
> {
  override state: { error?: unknown; page?: string } = {};

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  static getDerivedStateFromProps({ page }: { page: string }, state: { error?: unknown; page?: string }) {
    return state.page === page ? null : { page, error: undefined };
  }

  override render() {
    const { error } = this.state;
    if (error === undefined) return this.props.children;
    return (
      <Page title="This page broke">
        <div role="alert">
          <Empty
            title="Something here went wrong"
            action={
              <Button variant="contained" onClick={() => location.reload()}>
                Load the page again
              </Button>
            }
          >
            Nothing that is stored was touched. {error instanceof Error ? error.message : String(error)}
          </Empty>
        </div>
      </Page>
    );
  }
}
