import { Link } from "../ui/Link";
import { Page } from "../ui/Page";
import { Empty } from "../ui/Panels";

export function Nowhere() {
  return (
    <Page title="Not found">
      <Empty title="There is no such page">
        Go to the{" "}
        <Link to="/jobs" underline="always">
          jobs
        </Link>
        , or press <kbd>Ctrl</kbd> <kbd>K</kbd> to jump to one.
      </Empty>
    </Page>
  );
}
