import { useMemo, useState } from "react";
import { useLocation, useParams } from "react-router";
import { draftOf, isReadable, type Job, type JobDraft, useJob } from "../api/jobs";
import { Link } from "../ui/Link";
import { Page } from "../ui/Page";
import { Empty, Failed, Lines } from "../ui/Panels";
import { JobForm } from "./JobForm";
import { EMPTY, formOf } from "./state";

/** `/jobs/new`; what it begins from (a template, a copy) comes with the navigation. */
export function CreatePage() {
  const { state } = useLocation();
  const from = (state as { from?: JobDraft } | null)?.from;
  const initial = useMemo(() => (from ? formOf({ ...from, name: from.name }) : EMPTY), [from]);
  return (
    <Page title="Create job" above={<Link to="/jobs">Jobs</Link>} wide={false}>
      <JobForm key={from?.name} initial={initial} />
    </Page>
  );
}

/** `/jobs/:id/edit`, from the version that was read when it was opened. */
export function EditPage() {
  const { id = "" } = useParams();
  const job = useJob(id, { live: false });
  // What was read first is what is edited; if somebody changes the job meanwhile, saving says so.
  const [read, setRead] = useState<Job>();
  if (!read && job.data && job.isFetchedAfterMount) setRead(job.data);
  const initial = useMemo(() => (read && isReadable(read) ? formOf(draftOf(read)) : EMPTY), [read]);
  return (
    <Page
      title={read ? `Edit ${read.name}` : "Edit job"}
      above={read && <Link to={`/jobs/${read.id}`}>{read.name}</Link>}
      wide={false}
    >
      {!read ? (
        job.error ? (
          <Failed error={job.error} again={() => void job.refetch()} what="job" />
        ) : (
          <Lines />
        )
      ) : isReadable(read) ? (
        <JobForm initial={initial} job={read} />
      ) : (
        <Empty title="This job cannot be read">{read.error}</Empty>
      )}
    </Page>
  );
}
