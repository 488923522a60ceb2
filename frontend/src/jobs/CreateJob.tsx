import { mdiPlus } from "@mdi/js";
import Button from "@mui/material/Button";
import { Link as RouterLink } from "react-router";
import { Icon } from "../ui/Icon";

/** Leads to the empty form. */
export function CreateJob() {
  return (
    <Button
      component={RouterLink}
      to="/jobs/new"
      variant="contained"
      startIcon={<Icon path={mdiPlus} size={16} />}
    >
      Create job
    </Button>
  );
}
