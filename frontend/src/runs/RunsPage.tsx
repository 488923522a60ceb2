import { Link } from "../ui/Link";
import { Page } from "../ui/Page";
import { Empty } from "../ui/Panels";
import { RunsList } from "./RunsList";

export default function RunsPage() {
  return (
    <Page title="Runs">
      <RunsList
        none={
          <Empty title="Nothing has run yet">
            Runs appear here when jobs are due, or when somebody runs one by hand. Look at the{" "}
            <Link to="/jobs" underline="always">
              jobs
            </Link>
            .
          </Empty>
        }
      />
    </Page>
  );
}
