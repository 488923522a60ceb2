import MuiLink, { type LinkProps } from "@mui/material/Link";
import { Link as RouterLink, type LinkProps as To } from "react-router";

/** A link within the UI. */
export function Link({ to, ...rest }: Omit<LinkProps, "href"> & { to: To["to"] }) {
  return <MuiLink component={RouterLink} to={to} underline="hover" {...rest} />;
}
